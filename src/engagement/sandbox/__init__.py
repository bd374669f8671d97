"""The embedded RapidPro: invented participants behind the real API's format, and an invented coder.

Everything in it is invented, and computed from a seed: one season of a radio show. A round is how far the sandbox has
moved into that season.
"""
