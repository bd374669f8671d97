"""Messages -> one record per participant: fold strategies and consent."""
