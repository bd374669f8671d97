# One image for every stage. `docker build .` is all it takes; run_scripts/ does it, and runs the containers.
FROM python:3.12-slim-bookworm

# The one place that names pipenv's version: run_scripts/lib/environment.sh reads it here for the host.
ARG PIPENV_VERSION=2026.10.3

WORKDIR /app
COPY Pipfile Pipfile.lock ./
# The lock is checked without the machine's pip settings, which pipenv would count in: they say where packages come from,
# not which. The packages go into /app/.venv, and pipenv's own environment is gone when the layer ends: with --system it
# would leave out what it needs itself (seen with certifi, 2026-11).
RUN python -m venv /tmp/pipenv \
    && /tmp/pipenv/bin/pip install --no-cache-dir "pipenv==${PIPENV_VERSION}" \
    && PIP_CONFIG_FILE=/dev/null /tmp/pipenv/bin/pipenv verify \
    && PIP_NO_CACHE_DIR=1 PIPENV_NOSPIN=1 PIPENV_VENV_IN_PROJECT=1 /tmp/pipenv/bin/pipenv sync --python "$(command -v python)" \
    && rm -rf /tmp/pipenv /root/.cache /root/.local

COPY configurations/demo configurations/demo
COPY src src
# Any user has to be able to read it, whatever the clone's permissions are.
RUN chmod -R a+rX configurations src && python -m compileall -q src

# A container runs as whoever started it, a user that the image does not know: HOME has to be writable by anybody.
ENV PATH=/app/.venv/bin:$PATH PYTHONPATH=/app/src PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib
USER nobody

ENTRYPOINT ["python", "-m", "engagement"]
