"""Files of TracedData in a bucket, and what is an id of a participant in any file."""

import pytest

from engagement.foundation.errors import ConfigurationError, InputError
from engagement.provenance import Metadata, encode_fresh_chain
from recovered_files import check_manifest, put

METADATA = Metadata("an earlier pipeline", "2025-01-01T00:00:00+00:00", "somebody@example.org")


def line(number, participant="avf-phone-uuid-1"):
    return encode_fresh_chain([({"avf_phone_id": participant, "n": number}, METADATA)]) + "\n"


class TestBucket:
    @pytest.fixture(autouse=True)
    def source(self, project):
        project.sources = [
            {
                "SourceType": "GCloudBucket",
                "ActivationFlowURLs": ["gs://recovered/2025/s00e01.jsonl"],
                "SurveyFlowURLs": ["gs://recovered/s00_demog.jsonl"],
            }
        ]
        put(project, "2025/s00e01.jsonl", line(1) + line(2))
        put(project, "s00_demog.jsonl", line(3))

    def test_files_are_copied_byte_for_byte(self, project):
        project.fetch()
        assert project.file("s00e01").read_text() == line(1) + line(2)
        assert project.file("s00_demog").read_text() == line(3)
        check_manifest(project, "s00e01", "s00_demog")

    def test_a_file_is_downloaded_once(self, project):
        project.fetch()
        put(project, "2025/s00e01.jsonl", line(9)).unlink()
        project.fetch()
        assert project.file("s00e01").read_text() == line(1) + line(2)

    @pytest.mark.parametrize(
        ("content", "found"),
        [
            (line(1) + '{"hello": 1}\n', "line 2"),
            (line(1) + line(2).replace('"n": 2', '"n": 3'), "line 2: .*'n'"),
            (line(1)[:-1], "line 1: it has no line end"),
            (line(1) + line(2, "252615000001"), "line 2: 'avf_phone_id' is no participant's uuid"),
            (encode_fresh_chain([({"n": 1}, METADATA)]) + "\n", "line 1: 'avf_phone_id'"),
            (b"\xff\xfe\n", "line 1"),
        ],
    )
    def test_what_is_no_traced_data_is_refused_by_address_and_not_kept(self, project, content, found):
        put(project, "s00_demog.jsonl", content)
        with pytest.raises(InputError, match=rf"^gs://recovered/s00_demog\.jsonl, {found}") as refused:
            project.fetch()
        assert "252615" not in str(refused.value)
        assert not list(project.data_root.rglob("*demog*"))
        assert not project.file("s00e01").exists()

    @pytest.mark.parametrize("problem", ["damaged", "missing", "another source"])
    def test_a_fetch_that_fails_leaves_no_file_behind(self, project, problem):
        path = put(project, "s00_demog.jsonl", line(3))
        if problem == "another source":
            project.sources.append({"SourceType": "RecoveryCSV", "ActivationFlowURLs": ["gs://recovered/s00e02.csv"]})
        elif problem == "damaged":
            path.write_text(line(3)[:-1])
        else:
            path.unlink()
        with pytest.raises((InputError, ConfigurationError)):
            project.fetch()
        assert [path for path in project.data_root.rglob("*") if path.is_file()] == []

    def test_a_missing_file_is_told(self, project):
        put(project, "s00_demog.jsonl", line(1)).unlink()
        with pytest.raises(ConfigurationError, match="gs://recovered/s00_demog.jsonl: no such file"):
            project.fetch()


UUID = "0c1f4b1e-53a4-4f6e-9a57-0d7c0a1f6f11"
# Ids, and what is said of those that are none.
IDS = [
    (f"avf-phone-uuid-{UUID}", None),
    (f"avf-participant-uuid-{UUID}", None),
    (f"avf-facebook-uuid-{UUID}", None),
    # Digits alone may be a uuid, if it has the form of one.
    ("avf-phone-uuid-25261500-1001-4252-8615-001001252615", None),
    ("avf-phone-uuid-252615001001", "has a number where its uuid should be"),
    ("avf-phone-uuid-+252615001001", "has a number where its uuid should be"),
    ("avf-participant-uuid-252-61-500-1001", "has a number where its uuid should be"),
    ("avf-phone-uuid-tel_252615001001", "has a number where its uuid should be"),
    ("avf-phone-uuid-", "is no participant's uuid"),
    # Behind a known prefix anything else might be a name, or a uuid that lost a digit: it would be another participant.
    ("avf-phone-uuid-hello", "has no uuid behind its prefix"),
    (f"avf-phone-uuid-{UUID[:-1]}", "has no uuid behind its prefix"),
    (f"avf-participant-uuid-{UUID}0", "has no uuid behind its prefix"),
    (f"avf-facebook-uuid-{UUID[:8]}", "has no uuid behind its prefix"),
    ("avf-phone-uuid-a b", "is no participant's uuid"),
    (f"project-id-{UUID}", "does not begin as ids of participants do"),
    (UUID, "does not begin as ids of participants do"),
    ("252615001001", "looks like a phone number"),
]


@pytest.mark.parametrize(("sender", "problem"), IDS)
@pytest.mark.parametrize("kind", ["RecoveryCSV", "GCloudBucket"])
def test_ids_of_any_table_are_ids_and_numbers_are_not(project, kind, sender, problem):
    project.sources = [{"SourceType": kind, "ActivationFlowURLs": ["gs://recovered/s00e02.csv"]}]
    csv = f"Sender,Message,ReceivedOn\n{sender},haa,01/03/2026 10:00\n"
    put(project, "s00e02.csv", csv if kind == "RecoveryCSV" else line(1, sender))
    if problem is None:
        project.fetch()
        assert [record.values["avf_phone_id"] for record in project.read("s00e02")] == [sender]
        return
    if kind == "GCloudBucket" and problem == "has no uuid behind its prefix":
        # Another pipeline made these; what it calls its participants is its own business.
        project.fetch()
        return
    with pytest.raises(InputError, match=problem if kind == "RecoveryCSV" else "no participant's uuid") as refused:
        project.fetch()
    assert not any(shown in str(refused.value) for shown in ("001001", "hello", UUID[:8]))
    if kind == "RecoveryCSV":
        assert "gs://recovered/s00e02.csv: 1 problem(s):\n  line 2, row 2, column 'Sender': " in str(refused.value)
        assert "expected 'avf-phone-uuid-<uuid>'. Replace it" in str(refused.value)
    assert not list(project.data_root.rglob("*s00e02*"))


def test_the_prefix_of_the_configuration_makes_ids(project):
    project.sources = [{"SourceType": "RecoveryCSV", "ActivationFlowURLs": ["gs://recovered/s00e02.csv"]}]
    put(project, "s00e02.csv", f"Sender,Message,ReceivedOn\nproject-id-{UUID},haa,01/03/2026 10:00\n")
    project.settings["ParticipantPrefix"] = "project-id-"
    project.fetch()
    assert len(project.read("s00e02")) == 1
    for rest, problem in (
        ("252615001001", "has a number where its uuid should be"),
        ("hello", "has no uuid behind its prefix"),
    ):
        put(project, "s00e02.csv", f"Sender,Message,ReceivedOn\nproject-id-{rest},haa,01/03/2026 10:00\n")
        with pytest.raises(InputError, match=f"{problem}; expected 'project-id-<uuid>'"):
            project.fetch()
