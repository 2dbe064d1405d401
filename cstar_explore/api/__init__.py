"""cStar's webhook API: what each call sends, how it is sent, and how its response is read.

client       `Client` and `client.webhooks`: the calls
environment  `connect`: a client from arguments and environment variables
validation   what a user passes, validated before it is sent
requests     the calls as values: they can be shown, turned into a curl command, and sent
responses    bytes and headers, turned into a value or into the matching error
connection   one exchange over httpx, and the mapping of its errors
deadline     what a call reads from its connection, and until when
retries      when a call is repeated, and how long to wait before

Source of paths, bodies and envelopes: cStar's webhook API reference. `whoami` is from the SDK's start page, pagination from the
pages on tickets and on the SDK's lists. Where pages disagree, each form is read.
"""
