-- A new SQLite database, as migrations/ makes it: tests/store/test_schema.py holds both equal. It is made from this text
-- because Alembic and SQLAlchemy take 20 MB and a third of a second of every process that starts without a database.
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE hook_call (
    id TEXT NOT NULL,
    at TEXT NOT NULL,
    client TEXT NOT NULL,
    tenant TEXT,
    hook TEXT NOT NULL,
    hook_instance TEXT,
    patient_hash TEXT,
    user_hash TEXT,
    hash_key_id TEXT,
    content_version TEXT NOT NULL,
    service_version TEXT NOT NULL,
    status INTEGER NOT NULL,
    order_kind TEXT,
    shown INTEGER NOT NULL,
    milliseconds FLOAT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX hook_call_at ON hook_call (at);
CREATE TABLE card (
    uuid TEXT NOT NULL,
    call_id TEXT NOT NULL,
    at TEXT NOT NULL,
    client TEXT NOT NULL,
    rule TEXT NOT NULL,
    indicator TEXT NOT NULL,
    silent BOOLEAN NOT NULL,
    merged TEXT NOT NULL,
    suggestions TEXT NOT NULL,
    override_key TEXT,
    patient_hash TEXT,
    PRIMARY KEY (uuid)
);
CREATE INDEX card_at ON card (at);
CREATE INDEX card_call ON card (call_id);
CREATE TABLE feedback (
    id TEXT NOT NULL,
    received_at TEXT NOT NULL,
    client TEXT NOT NULL,
    card_uuid TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason_system TEXT,
    reason_code TEXT,
    accepted_suggestions TEXT NOT NULL,
    outcome_at TEXT,
    comment TEXT,
    entry_hash TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX feedback_received_at ON feedback (received_at);
CREATE UNIQUE INDEX feedback_entry ON feedback (card_uuid, client, entry_hash);
CREATE TABLE override_memory (
    client TEXT NOT NULL,
    patient_hash TEXT NOT NULL,
    override_key TEXT NOT NULL,
    since TEXT NOT NULL,
    PRIMARY KEY (client, patient_hash, override_key)
);
CREATE INDEX override_memory_since ON override_memory (since);
CREATE TABLE used_token (
    client TEXT NOT NULL,
    jti_hash TEXT NOT NULL,
    expires TEXT NOT NULL,
    PRIMARY KEY (client, jti_hash)
);
CREATE INDEX used_token_expires ON used_token (expires);
INSERT INTO alembic_version (version_num) VALUES ('0001');
