# The service and its model in one image that needs no network to run. What happens in it is in scripts/, which the
# tests run outside it.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
# Where torch comes from: the default package index would give a CUDA build of several gigabytes. Empty where the
# default index already offers the CPU build: --build-arg TORCH_INDEX=
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# What is installed. The slim one has no torch: all that ships works, models by name do not. With them:
# --build-arg LOCK=requirements.lock
ARG LOCK=requirements-slim.lock
WORKDIR /src
# The packages change seldom: a layer of their own.
COPY requirements.lock requirements-slim.lock requirements-postgres.lock ./
COPY scripts/install_packages.sh scripts/
# The driver of PostgreSQL is small: with it, QA_STORE is all that a store on a server needs.
RUN scripts/install_packages.sh /opt/sourceline "$LOCK" \
    && scripts/install_packages.sh /opt/sourceline requirements-postgres.lock
COPY pyproject.toml README.md LICENSE ./
COPY qa qa
COPY embeddings embeddings
COPY prompts prompts
COPY seeds seeds
COPY scripts scripts
RUN /opt/sourceline/bin/python -m pip wheel -qq --no-deps --wheel-dir /tmp/wheel . \
    && scripts/install_image.sh /opt/sourceline /tmp/wheel/*.whl

FROM ${PYTHON_IMAGE}
RUN groupadd --gid 10001 sourceline \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin sourceline \
    && install -d -o 10001 -g 10001 -m 0750 /data
COPY --from=build /opt/sourceline /opt/sourceline
COPY scripts/healthcheck.py /opt/sourceline/healthcheck.py
# Nothing is written outside /data and /tmp, nothing is fetched or sent.
ENV PATH=/opt/sourceline/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HF_HOME=/tmp/huggingface \
    HF_HUB_OFFLINE=1 \
    TRANSFORMERS_OFFLINE=1 \
    TOKENIZERS_PARALLELISM=false \
    ORT_DISABLE_TELEMETRY=1 \
    QA_DATA_DIR=/data
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --start-interval=2s --retries=3 \
    CMD ["python", "/opt/sourceline/healthcheck.py"]
ENTRYPOINT ["qa"]
CMD ["serve", "--host", "0.0.0.0"]
