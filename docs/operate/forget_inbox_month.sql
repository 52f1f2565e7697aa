-- Let go of a whole month of handled updates in one instant, and book them as the service does row by row:
--   psql "$URL" -v ON_ERROR_STOP=1 -v month=inbox_2026_11 -v name="'inbox_2026_11'" -f forget_inbox_month.sql
-- Nothing happens while one of its updates still waits, is parked or belongs to an account that is not set up.
BEGIN;

ALTER TABLE inbox DETACH PARTITION :month;
SELECT 1 / (1 - sign(count(*))::int) AS nothing_waits FROM :month WHERE state <> 'handled';
INSERT INTO tallies (day, kind, source, number)
SELECT (received_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date, 'forgotten', :name, count(*) FROM :month GROUP BY 1
ON CONFLICT (day, kind, source) DO UPDATE SET number = tallies.number + excluded.number;
DROP TABLE :month;

COMMIT;
