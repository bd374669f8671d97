"""Settings that decide a run's outputs: if one of them changed, nothing of the last run is kept.

Every configuration key counts unless it is listed here, so a new key can't be forgotten: at worst it causes full runs.
"""

from collections.abc import Mapping

from pydantic import BaseModel

from engagement.configuration import PipelineConfiguration, Project
from engagement.configuration.flow_choices import ChosenFlow
from engagement.configuration.source_model import RawDataSource
from engagement.processing.reuse.maker import describe_maker, digest_value

NOT_READ: Mapping[type[BaseModel], frozenset[str]] = {
    PipelineConfiguration: frozenset(
        {
            # Only names reports and logs.
            "pipeline_name",
            # Only for the fetch.
            "phone_number_uuid_table",
            # Only says where the plans are: their content is compared.
            "coding_plans_file",
            # For later steps: the analysis, Coda, Drive, contacts, archives, the logs and what is old.
            "automated_analysis",
            "small_count_threshold",
            "coda_users",
            "update_suggestions",
            "contacts",
            "withdrawn_elsewhere",
            "write_back",
            "drive_upload",
            "disclosure",
            "memory_profile_upload_url_prefix",
            "data_archive_upload_url_prefix",
            "memory_profile_upload_bucket",
            "data_archive_upload_bucket",
            "bucket_dir_path",
            "backup",
            "retention",
            "notify",
            "status_page",
        }
    ),
    ChosenFlow: frozenset({"uuid"}),
}
"""The attributes of each model that stage 3 does not read when it makes Outputs/ and State/analysis/. Sources declare their own."""


def names_not_read(model: type[BaseModel]) -> frozenset[str]:
    """List a model's attributes that stage 3 does not read; of a source, those that only its fetch reads."""
    return model.read_by_fetch_alone if issubclass(model, RawDataSource) else NOT_READ.get(model, frozenset())


def describe_settings(project: Project, mode: str) -> dict[str, str]:
    """Digest everything that decides the outputs, by the words that report a change."""
    return describe_maker(digest_settings(project), project.configuration.time_zone_name, mode)


def digest_settings(project: Project) -> str:
    """Digest what the project's own files decide."""
    return digest_value((describe_what_is_read(project.configuration), project.coding_plans))


def describe_what_is_read(value: object) -> str:
    """Serialise a part of the pipeline configuration, without the keys that stage 3 does not read."""
    if isinstance(value, BaseModel):
        left_out = names_not_read(type(value))
        fields = (
            f"{name}={describe_what_is_read(getattr(value, name))}"
            for name in type(value).model_fields
            if name not in left_out
        )
        return f"{type(value).__name__}({', '.join(fields)})"
    if isinstance(value, tuple):
        return f"({', '.join(map(describe_what_is_read, value))})"
    return repr(value)
