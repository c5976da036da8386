# As the vendor documents its SDK for Python: what it is made with, and one call. It stands in where there is none.
import json
import urllib.request
from types import SimpleNamespace


class Pictify:
    def __init__(self, api_key, *, base_url="https://api.pictify.io"):
        self.api_key = api_key
        self.base_url = base_url

    def render_html(self, html, *, width=None, height=None):
        request = urllib.request.Request(
            f"{self.base_url}/image",
            data=json.dumps({"html": html, "width": width, "height": height}).encode(),
            headers={"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            return SimpleNamespace(**json.load(answer))
