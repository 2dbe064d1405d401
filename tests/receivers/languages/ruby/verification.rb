# Verifies cStar's deliveries and acts once on each event. Needs only the standard library.
require "json"
require "openssl"

module Verification
  SECRET = ENV.fetch("WEBHOOK_SECRET") # the whole secret, including whsec_
  TOLERANCE = 300 # seconds, in both directions
  ACTED = ENV.fetch("ACTED_FILE", "acted.txt")
  LOCK = Mutex.new
  KNOWN = {}

  # Verifies a delivery, acts on its event, and returns the status to respond with.
  def self.receive(body, header)
    return 401 unless genuine?(body, header.to_s.b)

    event = JSON.parse(body)
    return 400 unless event.is_a?(Hash) && event["id"].is_a?(String)

    act_once(event["id"])
    200
  rescue JSON::ParserError
    400
  end

  def self.genuine?(body, header)
    parts = header.split(",").map { |part| part.strip.split("=", 2) }
    timestamp = parts.assoc("t")&.last.to_s
    return false unless timestamp.match?(/\A[0-9]{1,12}\z/) && (Time.now.to_i - timestamp.to_i).abs <= TOLERANCE

    expected = OpenSSL::HMAC.hexdigest("SHA256", SECRET, "#{timestamp}.".b + body.b)
    parts.any? { |name, value| name == "v1" && OpenSSL.secure_compare(expected, value.to_s) }
  end

  # Your work goes here. A unique key in your database replaces the hash: it also works across processes and restarts.
  def self.act_once(id)
    LOCK.synchronize do
      next if KNOWN[id]

      File.write(ACTED, "#{id}\n", mode: "a")
      KNOWN[id] = true
    end
  end
end
