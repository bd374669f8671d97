"""Ids of forms, and paths in a submission that are no question to a participant."""

import re

from engagement.configuration.value_types import matching

AssetId = matching(
    re.compile("[A-Za-z0-9]{8,40}"),
    "is no form's id; expected the letters and digits behind '/forms/' in the form's address, like 'aBcD3fGh1jKlMn0pQrStUv'. "
    "Change it.",
)

ENUMERATORS_OWN = ("username", "deviceid", "phonenumber", "subscriberid", "simserial", "_submitted_by")
# Names of questions may begin with _, too: KoboToolbox makes such ones of labels.
SERVERS_OWN = re.compile(
    "_id|_uuid|__version__|_attachments|_geolocation|_notes|_status|_submission_time|_supplementalDetails|_tags|_userform_id"
    "|_validation_status|_xform_id_string|(meta|formhub)/.*"
)
