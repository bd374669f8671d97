"""The embedded RapidPro: invented participants behind the real API's shape, and an invented coder.

Everybody and everything in it is invented. All of it is computed from a seed, as one season of a radio show; a round
is how far into that season the sandbox has come.
"""
