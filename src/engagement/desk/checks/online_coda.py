"""Check the datasets in Coda: their existence, their users and their code schemes."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engagement.configuration import CodingPlan, CodingPlans
from engagement.configuration.plan_places import placed_plans
from engagement.configuration.problems import Problem
from engagement.labelling.datasets.datasets import code_schemes_of, shown_schemes_of
from engagement.labelling.datasets.scheme_differences import (
    find_absent_schemes,
    find_odd_schemes,
    find_scheme_differences,
)
from engagement.services.coda.format import CodeSchemeDocument
from engagement.services.coda.protocol import CodaDatabase


@dataclass(frozen=True)
class DatasetInCoda:
    """A dataset in Coda, without its messages."""

    users: list[str]
    code_schemes: list[CodeSchemeDocument]


@dataclass(frozen=True)
class CodaSide:
    """A Coda instance by its name, and the project's datasets in it."""

    instance: str
    datasets: Mapping[str, DatasetInCoda]


def read_coda_side(coda: CodaDatabase, plans: CodingPlans) -> CodaSide:
    """Read the project's datasets from Coda, without their messages."""
    names = [plan.coda_dataset for plan in plans.all if plan.coda_dataset is not None]
    return CodaSide(
        coda.instance,
        {
            name: DatasetInCoda(
                coda.read_users(name), list(itertools.chain(*coda.read_code_schemes_of_all_segments(name)))
            )
            for name in names
            if coda.has_dataset(name)
        },
    )


def find_coda_problems(coda: CodaSide, plans: CodingPlans, users: Sequence[str]) -> Iterator[Problem]:
    """Find what stops stage 4: datasets that nobody can make, and code schemes that differ in Coda."""
    for at, name, plan in _placed_datasets(plans):
        dataset = coda.datasets.get(name)
        if dataset is None:
            if not users:
                yield Problem(
                    at,
                    f"Coda {coda.instance} has no dataset {name!r}; expected it, or CodaUsers in the pipeline configuration to "
                    "make it with. Have it made, or add them.",
                )
            continue
        for difference in find_scheme_differences(dataset.code_schemes, code_schemes_of(plan, plans)):
            yield Problem(
                at,
                f"dataset {name!r} in Coda {coda.instance}, {difference}; expected the same code book in both. "
                "Put the code book that coders are to use into both: a code that has labels keeps its CodeID and its meaning.",
            )


def find_coda_warnings(coda: CodaSide, plans: CodingPlans, users: Sequence[str]) -> Iterator[Problem]:
    """Find code schemes that nobody can label with, and people who can't label."""
    for at, name, plan in _placed_datasets(plans):
        dataset = coda.datasets.get(name)
        if dataset is None:
            continue
        for odd in find_odd_schemes(dataset.code_schemes, code_schemes_of(plan, plans)):
            yield Problem(
                at,
                f"dataset {name!r} in Coda {coda.instance}, {odd}; expected in Coda what the plan has. Put it into the plan, or "
                "have it taken out of Coda.",
            )
        for scheme_id in find_absent_schemes(dataset.code_schemes, shown_schemes_of(plan, plans)):
            yield Problem(
                at,
                f"dataset {name!r} in Coda {coda.instance} lacks the code scheme {scheme_id!r}, so that nobody can label with "
                "it; expected it there. Have it added in Coda.",
            )
        if not dataset.users:
            yield Problem(
                at, f"nobody may label dataset {name!r} in Coda {coda.instance}; expected users. Add them in Coda."
            )
        missing = [user for user in users if dataset.users and user not in dataset.users]
        if missing:
            yield Problem(
                at,
                f"{', '.join(map(repr, missing))} of CodaUsers may not label dataset {name!r} in Coda {coda.instance}; expected "
                "all of them to. Add them in Coda, or remove them from CodaUsers.",
            )


def _placed_datasets(plans: CodingPlans) -> Iterator[tuple[str, str, CodingPlan]]:
    for at, plan in placed_plans(plans):
        if plan.coda_dataset is not None:
            yield f"{at}.CodaFilename", plan.coda_dataset, plan
