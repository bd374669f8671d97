"""What each run of stage 3 was made with, so that it can be reproduced."""
