-- Divide the inbox by time (PostgreSQL). Once, with the service stopped or its webhooks in the spool meanwhile:
--   psql "$URL" -v ON_ERROR_STOP=1 -v until="'2027-02-01'" -f partition_inbox.sql
-- Everything until then becomes the first partition; it is not copied, only some of its indexes are built anew.
--
-- A partition knows only its own rows, so every unique key must hold the column that divides. That is the time at
-- which the event happened, as the provider tells it: a webhook that is sent again carries the same, while the time
-- of its arrival would be another one, and an event around midnight could be stored twice.

BEGIN;

ALTER TABLE inbox RENAME TO inbox_before;
ALTER TABLE inbox_before DROP CONSTRAINT inbox_pkey;
ALTER INDEX ux_inbox_key RENAME TO ux_inbox_key_before;

CREATE TABLE inbox (LIKE inbox_before INCLUDING DEFAULTS) PARTITION BY RANGE (occurred_at);
ALTER SEQUENCE inbox_id_seq OWNED BY inbox.id;
ALTER TABLE inbox ADD CONSTRAINT inbox_pkey PRIMARY KEY (id, occurred_at);
CREATE UNIQUE INDEX ux_inbox_key ON inbox (provider, account, key, occurred_at);

DO $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT indexname, indexdef FROM pg_indexes
        WHERE schemaname = current_schema() AND tablename = 'inbox_before' AND indexname LIKE 'ix\_%'
    LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', one.indexname, one.indexname || '_before');
        EXECUTE regexp_replace(one.indexdef, ' ON \S+ ', ' ON inbox ');
    END LOOP;
END $$;

ALTER TABLE inbox ATTACH PARTITION inbox_before FOR VALUES FROM (MINVALUE) TO (:until);
-- What was built anew stands beside the old one, which nothing needs any more.
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT i.indexrelid::regclass AS name FROM pg_index i
        WHERE i.indrelid = 'inbox_before'::regclass
          AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid)
    LOOP
        EXECUTE format('DROP INDEX %s', one.name);
    END LOOP;
END $$;
-- What no month has been made for is kept all the same, so that no webhook is ever refused for that.
CREATE TABLE inbox_rest PARTITION OF inbox DEFAULT;

COMMIT;
