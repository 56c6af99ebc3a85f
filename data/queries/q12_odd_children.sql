-- question: Which children of Office, browsers, web servers and services does only one host have?
-- choke point: group by pairs, rarity by a distinct count
-- parameters: none
-- answer: reference
-- source: the events
SELECT lower(process_parent_name) AS parent_program, lower(process_name) AS child_program, min(host_name) AS only_host,
    count(*) AS starts, count(*) OVER () AS groups
FROM events
WHERE event_code = '1' AND event_provider = 'Microsoft-Windows-Sysmon'
    AND lower(process_parent_name) IN ('winword.exe', 'excel.exe', 'outlook.exe', 'powerpnt.exe', 'chrome.exe',
        'msedge.exe', 'firefox.exe', 'w3wp.exe', 'services.exe', 'wmiprvse.exe', 'wsmprovhost.exe', 'psexesvc.exe',
        'sqlservr.exe', 'tomcat9.exe', 'httpd.exe', 'explorer.exe')
GROUP BY lower(process_parent_name), lower(process_name)
HAVING count(DISTINCT host_name) = 1
ORDER BY parent_program, child_program
LIMIT 100
