"""Where a cell came from: what stage 3 left behind of each participant, told in plain words and as facts for programs."""
