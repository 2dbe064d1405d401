# app/controllers/hooks_controller.rb, with verification.rb in lib/
require_relative "../../lib/verification"

class HooksController < ActionController::API # without protection against CSRF, which a webhook cannot pass
  def create
    body = request.raw_post
    head Verification.receive(body, request.headers["X-Signature"])
  end
end
