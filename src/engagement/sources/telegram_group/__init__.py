"""Messages of a Telegram group, from the exports of the desktop client."""
