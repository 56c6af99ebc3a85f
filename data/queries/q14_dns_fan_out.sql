-- question: Which hosts look up many names that do not exist?
-- choke point: group by host with distinct counts of long texts
-- parameters: none
-- answer: reference
-- source: the events
SELECT host_name, count(*) AS lookups, count(DISTINCT dns_question_name) AS names,
    count(DISTINCT CASE WHEN dns_response_code = 'NXDOMAIN' THEN dns_question_name END) AS missing_names,
    count(*) OVER () AS groups
FROM events
WHERE dns_question_name IS NOT NULL
GROUP BY host_name
ORDER BY missing_names DESC, lookups DESC, host_name NULLS LAST
LIMIT 50
