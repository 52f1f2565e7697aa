-- Divide the outbox by time (PostgreSQL). Once, with the workers stopped:
--   psql "$URL" -v ON_ERROR_STOP=1 -v until="'01KZ...'" -f partition_outbox.sql
-- Its ids begin with the moment they were made at, so the id itself divides and no key has to grow. The first id of a
-- month says: python -c "from datetime import datetime; from bot.clock import LOCAL_ZONE, first_id; \
--   print(first_id(datetime(2027, 2, 1, tzinfo=LOCAL_ZONE)))"
-- A further month: CREATE TABLE outbox_2027_02 PARTITION OF outbox FOR VALUES FROM ('<first id>') TO ('<next first id>');
-- Months are not dropped: conversations show what became of each message, and `loa reconcile` compares them.

BEGIN;

ALTER TABLE outbox RENAME TO outbox_before;
ALTER TABLE outbox_before RENAME CONSTRAINT outbox_pkey TO outbox_before_pkey;

CREATE TABLE outbox (LIKE outbox_before INCLUDING DEFAULTS) PARTITION BY RANGE (id);
ALTER TABLE outbox ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);
ALTER TABLE outbox ADD FOREIGN KEY (account_id) REFERENCES accounts (id);
ALTER TABLE outbox ADD FOREIGN KEY (contact_id) REFERENCES contacts (id);
ALTER TABLE outbox ADD FOREIGN KEY (case_id) REFERENCES cases (id);

DO $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT indexname, indexdef FROM pg_indexes
        WHERE schemaname = current_schema() AND tablename = 'outbox_before' AND indexname LIKE 'ix\_%'
    LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', one.indexname, one.indexname || '_before');
        EXECUTE regexp_replace(one.indexdef, ' ON \S+ ', ' ON outbox ');
    END LOOP;
END $$;

ALTER TABLE outbox ATTACH PARTITION outbox_before FOR VALUES FROM (MINVALUE) TO (:until);
CREATE TABLE outbox_rest PARTITION OF outbox DEFAULT;

COMMIT;
