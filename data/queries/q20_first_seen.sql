-- question: Which accounts were on a host for the first time on this day?
-- choke point: an anti join of one day with all days before
-- parameters: last_day
-- answer: reference
-- source: the events
WITH today AS (
    SELECT DISTINCT user_name, host_name FROM events WHERE date = {last_day} AND host_name IS NOT NULL
), before AS (
    SELECT DISTINCT user_name AS known_user, host_name AS known_host FROM events WHERE date < {last_day}
)
SELECT user_name, host_name, count(*) OVER () AS groups
FROM today LEFT JOIN before ON known_user = user_name AND known_host = host_name
WHERE known_user IS NULL
ORDER BY user_name NULLS LAST, host_name
LIMIT 100
