# One image for every process of Milepost and for the sandbox; which one it becomes is its command
# (backoffice/processes.py), the same that bin/run supervises.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    GRANIAN_HOST=0.0.0.0 \
    MILEPOST_DATA=/data

WORKDIR /app
COPY requirements.txt .
RUN pip install --no-deps --require-hashes -r requirements.txt

COPY . .
# Catalogues are compiled here because the running user may not write to /app.
RUN if [ -n "$(find locale -name '*.po' 2>/dev/null)" ]; then \
        python -m babel.messages.frontend compile -d locale -D django; \
    fi \
    && python -m compileall -q amcash backoffice cashier issuance sandbox \
    && useradd --system --create-home --uid 10001 milepost \
    && mkdir /data && chown milepost /data
USER milepost
VOLUME /data
EXPOSE 8000
CMD ["python", "-m", "backoffice.processes", "web"]
