"""Google Forms: the responses of forms, de-identified at the door."""
