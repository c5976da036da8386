# As the vendor documents its SDK for Ruby: what it is made with, and one call. It stands in where there is none.
require "json"
require "net/http"

module Pictify
  Image = Struct.new(:url)

  class Client
    def initialize(api_key:, base_url: "https://api.pictify.io")
      @api_key = api_key
      @base_url = base_url
    end

    def render_html(**options)
      headers = { "Authorization" => "Bearer #{@api_key}", "Content-Type" => "application/json" }
      answer = Net::HTTP.post(URI("#{@base_url}/image"), JSON.generate(options), headers)
      raise "the API answers #{answer.code}" unless answer.is_a?(Net::HTTPSuccess)

      Image.new(JSON.parse(answer.body)["url"])
    end
  end
end
