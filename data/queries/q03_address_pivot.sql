-- question: What do we have on this address, as source or destination of traffic or as answer of
--   a lookup?
-- choke point: a needle in two columns and in a list
-- parameters: address
-- answer: reference
-- source: the events
WITH seen AS (
    SELECT 'source' AS seen_as, category, ts_us, host_name FROM events WHERE source_ip = {address}
    UNION ALL
    SELECT 'destination' AS seen_as, category, ts_us, host_name FROM events WHERE destination_ip = {address}
    UNION ALL
    SELECT 'answer' AS seen_as, category, ts_us, host_name FROM each_dns_resolved_ip WHERE item = {address}
)
SELECT seen_as, category, count(*) AS events, count(DISTINCT host_name) AS hosts,
    min(ts_us) AS first_us, max(ts_us) AS last_us
FROM seen
GROUP BY seen_as, category
ORDER BY seen_as, category
