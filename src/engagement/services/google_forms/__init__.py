"""Google Forms: questions and responses of forms, through the Forms API."""
