-- Make one more month of the inbox, before it begins (a timer once a month will do):
--   psql "$URL" -v ON_ERROR_STOP=1 -v month=inbox_2027_02 -v since="'2027-02-01'" -v until="'2027-03-01'" \
--        -f partition_inbox_month.sql
CREATE TABLE :month PARTITION OF inbox FOR VALUES FROM (:since) TO (:until);
