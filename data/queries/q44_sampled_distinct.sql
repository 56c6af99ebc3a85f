-- question: How many different files were hashed on each day, exactly and by samples of one in 16 and in 256?
-- choke point: a distinct count of parts of long texts, beside those of samples, which need little memory
-- parameters: none
-- answer: reference
-- source: the events
WITH files AS (
    SELECT day, substring(winlog_event_data_Hashes, position('SHA256=' IN winlog_event_data_Hashes) + 7, 64) AS sha256
    FROM events
    WHERE winlog_event_data_Hashes LIKE '%SHA256=%'
)
SELECT day, count(*) AS records, count(DISTINCT sha256) AS files_exact,
    16 * count(DISTINCT CASE WHEN substring(sha256, 1, 1) = '0' THEN sha256 END) AS files_by_16,
    256 * count(DISTINCT CASE WHEN substring(sha256, 1, 2) = '00' THEN sha256 END) AS files_by_256
FROM files
GROUP BY day
ORDER BY day
