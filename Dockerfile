# Baclofen CDS. Two stages: the first builds the wheel and a virtual environment from the locked dependencies, the second
# holds only that environment. Runs as a user without rights; writes to /tmp and state_dir only (docker run --read-only).

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /build && /build/bin/pip install --require-hashes -r requirements-build.lock
RUN python -m venv /app && /app/bin/pip install --require-hashes -r requirements.lock
COPY . .
RUN /build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
 && /app/bin/pip install --no-deps --no-index /wheel/*.whl \
 && /app/bin/pip uninstall --yes pip setuptools \
 && /app/bin/python -m compileall -q /app/lib

FROM python:3.11-slim
RUN groupadd --system --gid 10001 baclofen && useradd --system --uid 10001 --gid baclofen --no-create-home --shell /usr/sbin/nologin baclofen
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /app
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["baclofen-cds"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
