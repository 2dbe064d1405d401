require_relative "verification"

run lambda { |env|
  request = Rack::Request.new(env)
  next [405, {}, []] unless request.post?

  body = request.body.read
  [Verification.receive(body, request.get_header("HTTP_X_SIGNATURE")), {}, []]
}
