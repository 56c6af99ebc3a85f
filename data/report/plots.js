"use strict";
// Draws the page's plots from the numbers in #data. Texts of the corpus become text nodes only.
(() => {
  const report = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const number = new Intl.NumberFormat("en-US");
  const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
  const weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const probe = document.createElement("i");
  probe.hidden = true;
  document.body.append(probe);
  /** A colour of the style as it is now. The property itself has those of both schemes. */
  const colour = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const kindColour = (kind) => colour(kind === "events" ? "noise" : kind);
  // Drawn bottom up: what matters most has the even baseline.
  const stacking = report.kinds.map((_, i) => i).reverse();
  const two = (n) => String(n).padStart(2, "0");
  const day = (t) => `${weekdays[(t.getUTCDay() + 6) % 7]} ${t.getUTCDate()} ${months[t.getUTCMonth()]}`;
  const clock = (t) => `${two(t.getUTCHours())}:${two(t.getUTCMinutes())}`;

  /** An element with a text. */
  const make = (tag, text = "", name = "") => {
    const element = document.createElement(tag);
    element.textContent = text;
    if (name) element.className = name;
    return element;
  };

  const brush = document.createElement("canvas").getContext("2d");
  /** A label in up to two lines of this width; only a third would be cut. */
  const wrapped = (text, room, size) => {
    brush.font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
    const fits = (part) => brush.measureText(part).width <= room;
    let rest = [...text];
    const lines = [];
    while (rest.length && lines.length < 2) {
      let end = rest.length;
      while (end > 1 && !fits(rest.slice(0, end).join(""))) end--;
      // After a separator if there is one near the end, else anywhere.
      const gap = end < rest.length ? rest.slice(0, end).findLastIndex((c) => " _-/.:".includes(c)) + 1 : 0;
      if (gap > end / 2) end = gap;
      lines.push(rest.slice(0, end).join("").trim());
      rest = rest.slice(end);
    }
    return lines.join("\n") + (rest.length ? "…" : "");
  };
  /** The width of the widest of these labels. */
  const widest = (texts, room, size) => {
    const lines = texts.flatMap((text) => wrapped(text, room, size).split("\n"));
    return Math.ceil(Math.max(0, ...lines.map((line) => brush.measureText(line).width)));
  };

  /** A tooltip: a title and rows of name and value. */
  const tip = (title, rows) => {
    const box = document.createElement("div");
    box.className = "tip";
    const head = document.createElement("b");
    head.textContent = title;
    box.append(head);
    for (const [name, value] of rows) {
      const row = document.createElement("div");
      for (const text of [name, value]) {
        const span = document.createElement("span");
        span.textContent = text;
        row.append(span);
      }
      box.append(row);
    }
    return box;
  };

  const plots = [];
  /** A plot in the element of this id, made anew where colours change. */
  const plot = (id, option) => {
    const element = document.getElementById(id);
    if (!element) return;
    const own = { element, chart: null, option };
    own.draw = () => {
      own.chart?.dispose();
      own.chart = echarts.init(element, null, { renderer: "svg" });
      own.chart.on("finished", () => { element.dataset.drawn = "yes"; });
      own.chart.setOption({
        animation: false,
        textStyle: { color: colour("muted"), fontFamily: getComputedStyle(document.body).fontFamily },
        ...option(element.clientWidth),
      });
    };
    plots.push(own);
    own.draw();
    return own;
  };
  const tooltip = () => ({
    confine: true,
    backgroundColor: colour("surface"),
    borderColor: colour("line"),
    textStyle: { color: colour("ink") },
  });
  const splitLine = () => ({ lineStyle: { color: colour("line"), opacity: 0.7 } });
  const axisLine = () => ({ lineStyle: { color: colour("line") } });
  const label = () => ({ color: colour("muted"), fontSize: 12 });
  /** Labels of names beside their rows. */
  const names = (room) => ({
    ...label(), color: colour("ink"), fontSize: 11.5, lineHeight: 13, interval: 0,
    formatter: (name) => wrapped(name, room, 11.5),
  });
  // Events are counted: no tick lies between two numbers.
  const whole = (n) => (n < 100000 ? number.format(n) : compact.format(n));
  const counted = () => ({ type: "value", minInterval: 1, splitLine: splitLine() });
  const legend = () => ({
    top: 6, left: 0, itemWidth: 12, itemHeight: 12, itemGap: 18, icon: "roundRect",
    textStyle: { color: colour("ink") }, inactiveColor: colour("line"),
    data: report.kinds,
  });

  // Time
  const { start, width, counts } = report.timeline;
  const words = [[604800, "week"], [86400, "day"], [3600, "hour"], [60, "minute"]];
  const [unit, word] = words.find(([seconds]) => width % seconds === 0);
  for (const element of document.querySelectorAll("[data-width]")) {
    element.textContent = `${width / unit} ${word}${width === unit ? "" : "s"}`;
  }
  plot("timeline", (wide) => {
    const times = counts[0].map((_, i) => new Date((start + i * width) * 1000));
    const midnights = times.map((_, i) => i).filter((i) => (start + i * width) % 86400 < width);
    const every = Math.max(1, Math.ceil(midnights.length / Math.max(2, Math.floor(wide / 105))));
    // A label has room until the end of the plot, or is not begun.
    const room = (i) => ((times.length - i) / times.length) * wide >= 80;
    const shown = new Set(midnights.filter((at, i) => i % every === 0 && (i === 0 || room(at))));
    return {
      legend: legend(),
      grid: { left: 4, right: 8, top: 44, bottom: 56, containLabel: true },
      tooltip: {
        ...tooltip(), trigger: "axis", axisPointer: { type: "shadow" },
        formatter: (items) => {
          const i = items[0].dataIndex;
          const rows = report.kinds.map((kind, k) => [kind, number.format(counts[k][i])]);
          const all = counts.reduce((sum, of) => sum + of[i], 0);
          return tip(`${day(times[i])}${width < 86400 ? `, ${clock(times[i])}` : ""}`, [...rows, ["all", number.format(all)]]);
        },
      },
      xAxis: {
        type: "category", data: times.map((t) => t.getTime()), axisLine: axisLine(),
        axisTick: { interval: (i) => shown.has(i), alignWithLabel: false, lineStyle: { color: colour("line") } },
        axisLabel: { ...label(), align: "left", margin: 8, interval: (i) => shown.has(i), formatter: (_, i) => day(times[i]), hideOverlap: true },
      },
      yAxis: { ...counted(), axisLabel: { ...label(), formatter: whole } },
      dataZoom: [{
        type: "slider", height: 18, bottom: 8, brushSelect: false, borderColor: colour("line"),
        fillerColor: "rgba(127,150,190,.18)", backgroundColor: "transparent", showDetail: false,
        dataBackground: { lineStyle: { color: colour("noise") }, areaStyle: { color: colour("noise"), opacity: 0.25 } },
        selectedDataBackground: { lineStyle: { color: colour("noise") }, areaStyle: { color: colour("noise"), opacity: 0.35 } },
        handleStyle: { color: colour("surface"), borderColor: colour("muted") }, moveHandleSize: 0,
      }],
      series: stacking.map((k) => ({
        name: report.kinds[k], type: "bar", stack: "all", data: counts[k],
        barCategoryGap: counts[0].length > 200 ? 0 : "12%", itemStyle: { color: kindColour(report.kinds[k]) },
      })),
    };
  });

  // Hours of the week
  const choices = ["all", ...report.kinds];
  let choice = 0;
  const week = plot("week", () => {
    const of = (cell) => (choice ? report.week.counts[choice - 1][cell] : report.week.counts.reduce((sum, c) => sum + c[cell], 0));
    const cells = [];
    for (let weekday = 0; weekday < 7; weekday++) {
      if (!report.week.days[weekday]) continue;
      for (let hour = 0; hour < 24; hour++) {
        cells.push([hour, weekday, of(weekday * 24 + hour) / report.week.days[weekday]]);
      }
    }
    // One storm must not make all other hours look alike: the ends of the scale are quantiles.
    const sorted = cells.map((c) => c[2]).sort((a, b) => a - b);
    const quantile = (share) => sorted[Math.floor((sorted.length - 1) * share)];
    const least = quantile(0.03);
    const most = Math.max(least + 1, quantile(0.97));
    const about = (n) => (n < 10 ? n.toFixed(1) : number.format(Math.round(n)));
    return {
      grid: { left: 4, right: 8, top: 12, bottom: 62, containLabel: true },
      tooltip: {
        ...tooltip(),
        formatter: ({ value: [hour, weekday, mean] }) =>
          tip(`${weekdays[weekday]}, ${two(hour)}:00 to ${two(hour)}:59`, [
            ["mean", about(mean)],
            ["sum", number.format(of(weekday * 24 + hour))],
          ]),
      },
      xAxis: { type: "category", data: [...Array(24).keys()].map(two), axisLine: { show: false }, axisTick: { show: false }, axisLabel: label() },
      yAxis: { type: "category", data: weekdays, inverse: true, axisLine: { show: false }, axisTick: { show: false }, axisLabel: label() },
      visualMap: {
        min: least, max: most, orient: "horizontal", left: "center", bottom: 0, itemWidth: 12, itemHeight: 180,
        text: [`≥ ${about(most)}`, least ? `≤ ${about(least)}` : "0"], textStyle: { color: colour("muted") },
        inRange: { color: [0, 1, 2, 3].map((i) => colour(`heat-${i}`)) },
      },
      series: [{ type: "heatmap", data: cells, itemStyle: { borderColor: colour("surface"), borderWidth: 2, borderRadius: 4 } }],
    };
  });
  const buttons = document.getElementById("week-kinds");
  choices.forEach((name, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.setAttribute("aria-pressed", String(i === choice));
    button.addEventListener("click", () => {
      choice = i;
      [...buttons.children].forEach((other, at) => other.setAttribute("aria-pressed", String(at === i)));
      week.draw();
    });
    buttons.append(button);
  });

  // Categories and signatures
  const bars = (id, top, share) => plot(id, (wide) => {
    const rows = top.names.map((named) => named.name);
    const room = Math.round(wide * share);
    return {
      legend: legend(),
      grid: { left: widest(rows, room, 11.5) + 14, right: 48, top: 40, bottom: 4 },
      tooltip: {
        ...tooltip(), trigger: "axis", axisPointer: { type: "shadow" },
        formatter: (items) => {
          const named = top.names[items[0].dataIndex];
          const rows = report.kinds.map((kind, k) => [kind, number.format(named.counts[k])]);
          return tip(named.name, [...rows, ["all", number.format(named.total)]]);
        },
      },
      xAxis: { ...counted(), splitNumber: 4, axisLabel: { show: false } },
      yAxis: {
        type: "category", inverse: true, data: rows, axisLine: axisLine(), axisTick: { show: false },
        axisLabel: names(room),
      },
      series: stacking.map((k, layer) => ({
        name: report.kinds[k], type: "bar", stack: "all", barWidth: 13, itemStyle: { color: kindColour(report.kinds[k]) },
        data: top.names.map((named) => named.counts[k]),
        label: {
          show: layer === stacking.length - 1, position: "right", color: colour("muted"), fontSize: 11.5,
          formatter: ({ dataIndex }) => compact.format(top.names[dataIndex].total),
        },
      })),
    };
  });
  bars("categories", report.categories, 0.42);
  bars("signatures", report.signatures, 0.5);

  // One chain
  let chain = report.chain;
  const steps = chain && plot("steps", (wide) => {
    const hosts = [...new Set(chain.events.map((event) => event.host))];
    const hostColour = (host) => colour(`s${Math.min(hosts.indexOf(host), 5)}`);
    const row = new Map(chain.steps.map((step, i) => [step.step, i]));
    const bySequence = new Map(chain.events.map((event) => [event.sequence, event]));
    const at = (event) => [event.time / 1000, row.get(event.step)];
    // In a short chain, ticks of one minute differ by their seconds.
    const isShort = chain.end - chain.start < 600e6;
    const moments = (ms) => {
      const t = new Date(ms);
      if (isShort) return `${clock(t)}:${two(t.getUTCSeconds())}`;
      return t.getUTCHours() || t.getUTCMinutes() ? clock(t) : day(t);
    };
    const lines = chain.edges
      .map((edge) => [edge, bySequence.get(edge.from_sequence), bySequence.get(edge.to_sequence)])
      .filter(([, from, to]) => from && to);
    const labels = chain.steps.map((step) => `${step.step}  ${step.tactic}`);
    const room = Math.round(wide * (wide < 600 ? 0.36 : 0.25));
    return {
      legend: { ...legend(), data: hosts },
      // The room of labels is measured here: measured by the library, it cuts some.
      grid: { left: widest(labels, room, 11.5) + 14, right: 24, top: 44, bottom: 82 },
      tooltip: {
        ...tooltip(), trigger: "item",
        formatter: ({ data }) => {
          if (data.edge) return tip(`Step ${data.edge.to_step} follows from ${data.edge.from_step}`, [[data.edge.kind.replaceAll("_", " "), data.edge.value]]);
          const { event } = data;
          const t = new Date(event.time / 1000);
          const rows = [["host", event.host], ["user", event.user], ["code", event.code], ["process", event.process], ["rule", event.rule]];
          return tip(`${day(t)}, ${clock(t)}:${two(t.getUTCSeconds())} ${event.what}`, rows.filter(([, value]) => value));
        },
      },
      xAxis: {
        type: "time", min: "dataMin", max: "dataMax", axisLine: axisLine(), splitLine: { show: true, ...splitLine() },
        splitNumber: Math.max(3, Math.floor(wide / 160)),
        axisLabel: { ...label(), hideOverlap: true, formatter: moments },
      },
      yAxis: {
        type: "category", inverse: true, data: labels,
        axisLine: axisLine(), axisTick: { show: false }, splitLine: { show: true, ...splitLine() },
        axisLabel: names(room),
      },
      dataZoom: [{
        type: "slider", height: 18, bottom: 8, brushSelect: false, borderColor: colour("line"), showDetail: false, showDataShadow: false,
        fillerColor: "rgba(127,150,190,.18)", handleStyle: { color: colour("surface"), borderColor: colour("muted") }, moveHandleSize: 0,
      }],
      series: [
        {
          name: "causes", type: "lines", coordinateSystem: "cartesian2d", z: 1, symbol: ["none", "arrow"], symbolSize: 6,
          lineStyle: { color: colour("muted"), opacity: 0.55, width: 1.2, curveness: 0.12 },
          data: lines.map(([edge, from, to]) => ({ coords: [at(from), at(to)], edge })),
        },
        ...hosts.map((host) => ({
          name: host, type: "scatter", z: 3,
          // Without rims: on a burst of dots they would be all there is to see.
          itemStyle: { color: hostColour(host), opacity: 0.75 },
          data: chain.events.filter((event) => event.host === host)
            .map((event) => ({ value: at(event), event, symbolSize: event.kind === "alert" ? 12 : 7 })),
        })),
      ],
    };
  });

  /** `2024-08-12 09:50:14` of Unix microseconds. */
  const moment = (us) => new Date(us / 1000).toISOString().slice(0, 19).replace("T", " ");
  const spaced = (text) => text.replaceAll("_", " ");
  /** A row of cells: a text, or texts below each other; the class of each. */
  const tableRow = (cells) => {
    const row = document.createElement("tr");
    for (const [content, name, tag] of cells) {
      const cell = make(tag ?? "td", "", name);
      [content].flat().forEach((part, i) => {
        if (i && typeof part === "string") cell.append(document.createElement("br"));
        cell.append(part);
      });
      row.append(cell);
    }
    return row;
  };
  const treeNode = (node) => {
    const item = document.createElement("li");
    const head = make("div", "", node.events ? "proc" : "proc passive");
    head.append(make("b", node.name || "(unnamed)"), make("small", `pid ${node.pid}`));
    if (node.user) head.append(make("small", node.user));
    if (node.steps.length) head.append(make("small", `step ${node.steps.join(", ")}`, "step"));
    if (node.events) head.append(make("small", `${node.events} event${node.events === 1 ? "" : "s"}`));
    item.append(head);
    if (node.command_line) item.append(make("code", node.command_line, "cmd"));
    if (node.children.length) {
      const list = document.createElement("ul");
      list.append(...node.children.map(treeNode));
      item.append(list);
    }
    return item;
  };
  /** Shows a chain in place of the one that the page was made with. */
  const choose = (chosen) => {
    chain = chosen;
    const { events, total } = chain;
    document.getElementById("chain-h").textContent = `One attack: ${spaced(chain.playbook)}`;
    document.getElementById("chain-lead").replaceChildren(
      make("code", chain.id),
      `, ${moment(chain.start)} to ${moment(chain.end)} UTC: ${number.format(total)} events in ${chain.steps.length} steps on ${chain.hosts.length} hosts, ` +
        `${spaced(chain.stop_reason)}. Users: ${chain.users.join(", ")}.` +
        (total > events.length ? ` Shown are the first ${number.format(events.length)}, by step.` : ""),
    );
    document.querySelector("#chain-steps tbody").replaceChildren(...chain.steps.map((step) => tableRow([
      [String(step.step), "n", "th"], [step.tactic], [step.techniques.join(", ")], [moment(step.first), "when"],
      [number.format(step.events), "n"], [step.hosts, "host"], [step.causes.join(", ")],
      [step.rule ? [make("code", step.what), make("small", step.rule)] : make("code", step.what), "what"],
    ])));
    document.querySelector("#chain-events tbody").replaceChildren(...events.map((event) => tableRow([
      [String(event.sequence), "n"], [moment(event.time), "when"], [String(event.step), "n"], [event.host, "host"],
      [event.user], [event.code], [event.process], [make("code", event.what), "what"], [event.rule],
    ])));
    const panel = document.getElementById("chain-trees");
    panel.hidden = !chain.trees.length;
    panel.replaceChildren(make("h3", "Process tree"), ...chain.trees.map((tree) => {
      const box = make("div", "", "trees");
      const title = document.createElement("h3");
      title.append(make("code", tree.host));
      const list = document.createElement("ul");
      list.append(...tree.processes.map(treeNode));
      box.append(title, list);
      return box;
    }));
    if (chain.hidden) panel.append(make("p", `${number.format(chain.hidden)} more processes are not shown.`, "hint"));
    steps.element.style.height = `${chain.steps.length * 38 + 130}px`;
    steps.draw();
  };
  /** A chain of the list; all but the first are JSON, gzip and Base64. */
  const unpack = async ({ packed }) => {
    if (!packed) return report.chain;
    const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
    const text = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(text).json();
  };
  // A browser from before 2023 cannot unpack them.
  if (report.chains.length && "DecompressionStream" in window) {
    const pick = document.getElementById("pick");
    const list = pick.querySelector("select");
    const search = pick.querySelector("input");
    const chains = [report.chain, ...report.chains].map((it) => {
      const text = `${spaced(it.playbook)}, ${moment(it.start)}, ${spaced(it.stop_reason)}, ${number.format(it.total)} events, ${it.id}`;
      const words = [text, it.playbook, ...it.hosts, ...it.users].join(" ").toLowerCase();
      return { it, words, option: new Option(text, it.id) };
    });
    const show = async () => {
      const { value } = list;
      const { it } = chains.find((one) => one.it.id === value);
      const chosen = await unpack(it);
      // Another may have been chosen meanwhile.
      if (list.value === value && chain.id !== value) choose(chosen);
    };
    /** Lists the chains that have every word of the search, and shows the first if the shown one is not among them. */
    const find = () => {
      const wanted = search.value.toLowerCase().split(/\s+/);
      const found = chains.filter(({ words }) => wanted.every((word) => words.includes(word)));
      list.replaceChildren(...found.map(({ option }) => option));
      list.disabled = !found.length;
      pick.querySelector("span").textContent = `${number.format(found.length)} of ${number.format(chains.length)} chains`;
      if (found.some(({ it }) => it.id === chain.id)) list.value = chain.id;
      else if (found.length) list.selectedIndex = 0;
      if (found.length) show();
    };
    list.addEventListener("change", show);
    search.addEventListener("input", find);
    find();
    pick.hidden = false;
  }

  // Engines, one at a time; all of them on paper.
  const panels = [...document.querySelectorAll(".load [role=tabpanel]")];
  const tabs = document.querySelector(".load [role=tablist]");
  const select = (chosen) => panels.forEach((panel, i) => {
    panel.hidden = i !== chosen;
    tabs.children[i].setAttribute("aria-selected", String(i === chosen));
    tabs.children[i].tabIndex = i === chosen ? 0 : -1;
  });
  panels.forEach((panel, i) => {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.textContent = panel.dataset.name;
    tab.id = `tab-${i}`;
    tab.setAttribute("role", "tab");
    panel.id = `panel-${i}`;
    panel.setAttribute("aria-labelledby", tab.id);
    tab.setAttribute("aria-controls", panel.id);
    tab.addEventListener("click", () => select(i));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = (i + step + panels.length) % panels.length;
      select(next);
      tabs.children[next].focus();
    });
    tabs.append(tab);
  });
  tabs.hidden = false;
  select(0);

  // Size, colours, paper.
  const redraw = () => plots.forEach((own) => own.draw());
  new ResizeObserver(() => plots.forEach((own) => {
    if (own.chart.getWidth() !== own.element.clientWidth) own.draw();
  })).observe(document.querySelector("main"));
  const system = matchMedia("(prefers-color-scheme: dark)");
  const theme = document.getElementById("theme");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const named = () => {
    theme.textContent = isDark() ? "Light" : "Dark";
    theme.setAttribute("aria-label", `${theme.textContent} colours`);
  };
  const recolour = () => {
    named();
    redraw();
  };
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    recolour();
  });
  system.addEventListener("change", recolour);
  theme.hidden = false;
  named();
  addEventListener("beforeprint", () => {
    root.classList.add("printing");
    plots.forEach((own) => { own.element.style.width = "680px"; own.draw(); });
  });
  addEventListener("afterprint", () => {
    root.classList.remove("printing");
    plots.forEach((own) => { own.element.style.width = ""; own.draw(); });
  });
  root.dataset.ready = "yes";
})();
