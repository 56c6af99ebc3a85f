-- question: Who runs encoded or hidden PowerShell, or downloads with it, and what does the first of the encoded
--   commands that begin alike say?
-- choke point: several patterns over long texts, a group by of parts of them, then arithmetic with characters
-- parameters: characters
-- answer: reference
-- source: the events
WITH found AS (
    SELECT host_name, user_name, ts_us, process_command_line AS command, lower(process_command_line) AS lowered
    FROM events
    WHERE event_code IN ('1', '4688') AND lower(process_command_line) LIKE '%powershell%'
        AND (lower(process_command_line) LIKE '% -enc%' OR lower(process_command_line) LIKE '% hidden%'
            OR lower(process_command_line) LIKE '%http%')
), options AS (
    SELECT host_name, user_name, ts_us, lowered,
        CASE WHEN lowered LIKE '% -enc% %' THEN substring(command, position(' -enc' IN lowered) + 1) END AS option_on
    FROM found
), arguments AS (
    SELECT host_name, user_name, ts_us, lowered, substring(option_on, position(' ' IN option_on) + 1) AS argument_on
    FROM options
), codes AS (
    SELECT host_name, user_name, ts_us, lowered,
        nullif(substring(substring(argument_on, 1, position(' ' IN argument_on || ' ') - 1), 1, 160), '') AS code
    FROM arguments
), runs AS (
    SELECT host_name, user_name, ts_us, lowered, code, substring(code, 1, 64) AS code_start
    FROM codes
), most AS (
    SELECT host_name, user_name, code_start, min(code) AS least_code, count(*) AS commands,
        count(DISTINCT code) AS encoded, count(*) FILTER (WHERE lowered LIKE '% hidden%') AS hidden_window,
        count(*) FILTER (WHERE lowered LIKE '%http%') AS downloads, min(ts_us) AS first_us,
        count(*) OVER () AS groups
    FROM runs
    GROUP BY host_name, user_name, code_start
    ORDER BY commands DESC, host_name, user_name NULLS LAST, code_start NULLS LAST
    LIMIT 50
), bits AS (
    SELECT 0 AS bit UNION ALL SELECT 1 AS bit
), numbers AS (
    SELECT a.bit + 2 * b.bit + 4 * c.bit + 8 * d.bit + 16 * e.bit + 32 * f.bit AS n
    FROM bits a CROSS JOIN bits b CROSS JOIN bits c CROSS JOIN bits d CROSS JOIN bits e CROSS JOIN bits f
), alphabet AS (
    SELECT substring('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', n + 1, 1) AS symbol, n AS digit
    FROM numbers
), shown AS (
    SELECT DISTINCT least_code AS code FROM most WHERE least_code IS NOT NULL
), symbols AS (
    SELECT code, blocks.n AS block, places.n AS place, substring(code, 8 * blocks.n + places.n + 1, 1) AS symbol
    FROM shown CROSS JOIN numbers blocks CROSS JOIN numbers places
    WHERE blocks.n < 20 AND places.n < 8
), digits AS (
    SELECT code, block,
        coalesce(max(CASE WHEN place = 0 THEN digit END), -1) AS v1,
        coalesce(max(CASE WHEN place = 1 THEN digit END), -1) AS v2,
        coalesce(max(CASE WHEN place = 2 THEN digit END), -1) AS v3,
        coalesce(max(CASE WHEN place = 3 THEN digit END), -1) AS v4,
        coalesce(max(CASE WHEN place = 4 THEN digit END), -1) AS v5,
        coalesce(max(CASE WHEN place = 5 THEN digit END), -1) AS v6,
        coalesce(max(CASE WHEN place = 6 THEN digit END), -1) AS v7,
        coalesce(max(CASE WHEN place = 7 THEN digit END), -1) AS v8
    FROM symbols JOIN alphabet ON alphabet.symbol = symbols.symbol
    GROUP BY code, block
), letters AS (
    SELECT code, block, v3 >= 0 AS has_1, v6 >= 0 AS has_2, v8 >= 0 AS has_3,
        CASE WHEN v2 % 16 = 0 AND v3 < 4 THEN v1 * 4 + CAST((v2 - v2 % 16) / 16 AS INTEGER) ELSE 0 END AS letter_1,
        CASE WHEN v5 = 0 AND v6 < 16 THEN v3 % 4 * 64 + v4 ELSE 0 END AS letter_2,
        CASE WHEN v7 % 4 = 0 AND v8 = 0 THEN v6 % 16 * 16 + CAST((v7 - v7 % 4) / 4 AS INTEGER) ELSE 0 END AS letter_3
    FROM digits
), texts AS (
    SELECT code, block,
        CASE WHEN NOT has_1 THEN '' WHEN letter_1 BETWEEN 32 AND 126 THEN substring({characters}, letter_1 - 31, 1)
            ELSE '?' END
        || CASE WHEN NOT has_2 THEN '' WHEN letter_2 BETWEEN 32 AND 126 THEN substring({characters}, letter_2 - 31, 1)
            ELSE '?' END
        || CASE WHEN NOT has_3 THEN '' WHEN letter_3 BETWEEN 32 AND 126 THEN substring({characters}, letter_3 - 31, 1)
            ELSE '?' END AS letters
    FROM letters
), decoded AS (
    SELECT code, nullif(
        max(CASE WHEN block = 0 THEN letters ELSE '' END) || max(CASE WHEN block = 1 THEN letters ELSE '' END)
        || max(CASE WHEN block = 2 THEN letters ELSE '' END) || max(CASE WHEN block = 3 THEN letters ELSE '' END)
        || max(CASE WHEN block = 4 THEN letters ELSE '' END) || max(CASE WHEN block = 5 THEN letters ELSE '' END)
        || max(CASE WHEN block = 6 THEN letters ELSE '' END) || max(CASE WHEN block = 7 THEN letters ELSE '' END)
        || max(CASE WHEN block = 8 THEN letters ELSE '' END) || max(CASE WHEN block = 9 THEN letters ELSE '' END)
        || max(CASE WHEN block = 10 THEN letters ELSE '' END) || max(CASE WHEN block = 11 THEN letters ELSE '' END)
        || max(CASE WHEN block = 12 THEN letters ELSE '' END) || max(CASE WHEN block = 13 THEN letters ELSE '' END)
        || max(CASE WHEN block = 14 THEN letters ELSE '' END) || max(CASE WHEN block = 15 THEN letters ELSE '' END)
        || max(CASE WHEN block = 16 THEN letters ELSE '' END) || max(CASE WHEN block = 17 THEN letters ELSE '' END)
        || max(CASE WHEN block = 18 THEN letters ELSE '' END) || max(CASE WHEN block = 19 THEN letters ELSE '' END),
        '') AS decoded_text
    FROM texts
    GROUP BY code
)
SELECT host_name, user_name, decoded_text, commands, encoded, hidden_window, downloads, first_us, groups
FROM most LEFT JOIN decoded ON decoded.code = most.least_code
ORDER BY commands DESC, host_name, user_name NULLS LAST, code_start NULLS LAST
