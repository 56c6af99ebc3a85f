-- question: What did this user do during the attack?
-- choke point: one account within a window of time over all categories
-- parameters: attack_first_day, attack_last_day, attack_from_us, attack_to_us, account
-- answer: reference
-- source: the events
SELECT ts_us, event_sequence, category, event_action, event_outcome, host_name, process_name, source_ip,
    destination_ip, file_path, count(*) OVER () AS groups
FROM events
WHERE date BETWEEN {attack_first_day} AND {attack_last_day} AND ts_us BETWEEN {attack_from_us} AND {attack_to_us}
    AND user_name = {account}
ORDER BY ts_us, event_sequence
LIMIT 200
