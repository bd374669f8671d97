"""The rules of time zones: what is known of a project can name one that an update removed."""

from engagement.foundation.time_zones import digest_time_zone


def test_a_time_zone_that_is_gone_has_no_rules():
    assert digest_time_zone("Africa/Mogadishu")
    assert digest_time_zone("No/Where") == digest_time_zone("Africa") == ""
