-- question: Which programs open the memory of lsass, with which rights, and how rare are they?
-- choke point: a rare record kind in few files
-- parameters: none
-- answer: reference
-- source: the events
SELECT winlog_event_data_SourceImage, winlog_event_data_GrantedAccess, count(*) AS accesses,
    count(DISTINCT host_name) AS machines, min(ts_us) AS first_us, count(*) OVER () AS groups
FROM events
WHERE event_code = '10' AND lower(winlog_event_data_TargetImage) LIKE '%lsass.exe'
GROUP BY winlog_event_data_SourceImage, winlog_event_data_GrantedAccess
ORDER BY machines, accesses, winlog_event_data_SourceImage, winlog_event_data_GrantedAccess
LIMIT 50
