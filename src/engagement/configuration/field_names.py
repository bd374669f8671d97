"""Names that the pipeline itself gives to fields and match values."""

UID_FIELD = "uid"
# The raw data's own name of the participant.
PARTICIPANT_KEY = "avf_phone_id"
CONSENT_FIELD = "consent_withdrawn"
# What the fetch knows of the mobile operator: a number's first digits, or the channel's name; and the label made of it.
RAW_OPERATOR_FIELD, OPERATOR_FIELD = "operator_raw", "operator_coded"
# Fields that the fetch writes itself, under these names.
FETCHED_FIELDS = frozenset({RAW_OPERATOR_FIELD, OPERATOR_FIELD, "urn_type"})
# The match values of yes and no, as cleaners give them.
YES, NO = "yes", "no"
# The match value of the code that 'yes_no_amb' gives.
AMBIVALENT = "ambivalent"
