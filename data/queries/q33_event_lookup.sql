-- question: Is there an event at this place?
-- choke point: a point lookup with its partition; a rising column with bounds
-- parameters: place_day, place_category, place_sequence
-- answer: constructed
-- source: the plan: an ordinal below the rows of its partition
SELECT event_sequence, category, day, count(*) AS events
FROM events
WHERE date = {place_day} AND category = {place_category} AND event_sequence = {place_sequence}
GROUP BY event_sequence, category, day
ORDER BY event_sequence
