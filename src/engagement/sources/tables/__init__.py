"""Tables that people and telecoms send as delimited text: nothing is guessed, nothing is cut."""
