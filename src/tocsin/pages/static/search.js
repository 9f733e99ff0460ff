"use strict";
(() => {
  const here = document.currentScript.src.replace(/[^/]*$/, "");
  const byId = (id) => document.getElementById(id);
  const SEVERITIES = ["informational", "low", "medium", "high", "critical"];
  const PARTLY = new Set(["author", "index", "name", "path", "text", "value"]);
  const DATES = new Set(["changed", "date", "modified"]);
  const PAGE = 50;
  const SHOWN = 8;
  const waiting = {};
  let rules, tests;

  window.tocsin = (name, data) => waiting[name](data);
  const load = (name) =>
    new Promise((resolve, reject) => {
      const script = document.createElement("script");
      waiting[name] = resolve;
      script.onerror = () => reject(new Error(`${name}.js cannot be loaded`));
      script.src = `${here}${name}.js`;
      document.head.append(script);
    });

  // Words: letters and digits, in lower case, one blank around each, as the index on disk has them.
  const spaced = (text) =>
    ` ${text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim()} `;

  const unquoted = (text) => text.replace(/"([^"]*)"|'([^']*)'/g, (_, one, other) => one ?? other);

  const parse = (query) => {
    const words = query.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
    if (query.replace(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g, "").trim()) throw new Error("a quote is not closed");
    return words.map((raw) => {
      const negated = raw.length > 1 && raw[0] === "-";
      let body = negated ? raw.slice(1) : raw;
      const whole = /^(["'])[^"']*\1$/.test(body);
      const found = /^([a-z_]+)(:|>=|<=|=|>|<)(.*)$/is.exec(whole ? body.slice(1, -1) : body);
      const field = found?.[1].toLowerCase();
      if (found && known(field)) {
        const asked = whole ? `"${found[3]}"` : found[3];
        const texts = (asked.match(/(?:"[^"]*"|'[^']*'|[^,"'])+/g) ?? []).map((one) => unquoted(one).trim());
        if (!texts.filter(Boolean).length) throw new Error(`${field}${found[2]} asks for nothing`);
        return { raw, negated, field, op: found[2], texts: texts.filter(Boolean) };
      }
      if (found && !whole) throw new Error(`no field ${field}; known: ${fields().join(", ")}`);
      return { raw, negated, field: "", op: ":", texts: [unquoted(body)] };
    });
  };
  const fields = () => [
    ...rules.fields, "year", "id", "name", "path", "text", "date", "modified", "changed", "field", "value", "indicator",
  ];
  const known = (field) => fields().includes(field);
  const needsTests = (term) => !term.field || ["field", "value", "indicator", "text"].includes(term.field);

  const glob = (pattern) =>
    new RegExp(`^${pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&")).join(".*")}$`, "s");

  const fits = (text, term) => {
    text = text.toLowerCase();
    return term.patterns.some(({ lower, whole }) => {
      if (whole.test(text)) return true;
      if (term.op === "=") return false;
      if (PARTLY.has(term.field) && text.includes(lower)) return true;
      if (DATES.has(term.field) && text.startsWith(lower)) return true;
      if (term.field === "technique" && text.startsWith(`${lower}.`)) return true;
      return (
        term.field === "tag" &&
        (text.split(/\.|: /).includes(lower) || text.endsWith(`.${lower}`) || text.endsWith(`: ${lower}`))
      );
    });
  };
  const ordered = (one, op, other) =>
    op === ">=" ? one >= other : op === "<=" ? one <= other : op === ">" ? one > other : one < other;
  const isOrder = (op) => op !== ":" && op !== "=";

  const marked = () => new Uint8Array(rules.rules.length);
  const ofTexts = (field, holds) => {
    const at = rules.fields.indexOf(field);
    const good = rules.texts[field].map(holds);
    const found = marked();
    rules.rules.forEach((rule, number) => {
      if (rule[5][at].some((one) => good[one])) found[number] = 1;
    });
    return found;
  };
  const ofRules = (holds) => Uint8Array.from(rules.rules, (rule) => (holds(rule) ? 1 : 0));
  const ofTests = (holds) => {
    const found = marked();
    for (const [field, own, op, value, ...steps] of tests.tests) {
      if (!holds(field, own, op, value)) continue;
      let number = 0;
      for (const step of steps) {
        number += step;
        found[number] = 1;
      }
    }
    return found;
  };

  const evaluate = (term) => {
    term.patterns = term.texts.map((text) => ({ lower: text.toLowerCase(), whole: glob(text.toLowerCase()) }));
    const [text] = term.texts;
    switch (term.field) {
      case "":
        return worded(text);
      case "text":
        return term.texts.map(worded).reduce((one, other) => one.map((bit, at) => bit & other[at]));
      case "id":
        return ofRules((rule) => fits(rule[1], term));
      case "name":
        return ofRules((rule) => fits(rule[2], term));
      case "path":
        return ofRules((rule) => fits(rule[0], term));
      case "year":
        return ofRules((rule) => fits(rule[4].slice(0, 4), term));
      case "date":
      case "modified":
      case "changed":
        return isOrder(term.op)
          ? ofRules((rule) => rule[4] && ordered(rule[4].slice(0, text.length), term.op, text))
          : ofRules((rule) => fits(rule[4], term));
      case "field": {
        const good = tests.fields.map((one) => fits(one || "any value", term));
        return ofTests((field, own) => good[field] || good[own]);
      }
      case "value": {
        const good = tests.values.map((one) => one !== "" && fits(one, term));
        return ofTests((_, own, op, value) => good[value]);
      }
      case "indicator":
        return ofTests((field, own, op, value) =>
          term.texts.some((asked) => {
            const [name, how, ...rest] = asked.split("|");
            if (tests.values[value] !== rest.join("|").toLowerCase()) return false;
            return how === "*"
              ? tests.fields[field] === name
              : tests.fields[own] === name.toLowerCase() && tests.ops[op] === how;
          }),
        );
    }
    if (isOrder(term.op)) {
      if (term.field !== "severity") throw new Error(`${term.field} has no order; write ${term.field}:${text}`);
      const bound = SEVERITIES.indexOf(text.toLowerCase());
      if (bound < 0) throw new Error(`no severity ${text}; known: ${SEVERITIES.join(", ")}`);
      return ofTexts("severity", (one) => ordered(SEVERITIES.indexOf(one), term.op, bound));
    }
    if (term.field === "technique") {
      for (const one of term.patterns) {
        const now = rules.replaced[one.lower.toUpperCase()]?.toLowerCase();
        if (now) Object.assign(one, { lower: now, whole: glob(now) });
      }
    }
    return ofTexts(term.field, (one) => fits(one, term));
  };

  const needle = (text) => {
    const words = spaced(text).trimEnd();
    return text.endsWith("*") ? words : `${words} `;
  };
  const worded = (text) => {
    const wanted = needle(text);
    if (!wanted.trim()) return marked().fill(1);
    const good = tests.spaced.map((one) => one.includes(wanted));
    const named = tests.spacedFields.map((one) => one.includes(wanted));
    const found = ofTests((field, own, op, value) => good[value] || named[own]);
    rules.spaced.forEach((one, number) => {
      if (one.includes(wanted)) found[number] = 1;
    });
    return found;
  };

  const rank = (terms) => {
    const words = terms.filter((term) => !term.field && !term.negated).map((term) => needle(term.texts[0]));
    const at = rules.fields.indexOf("severity");
    const score = (number) => {
      const rule = rules.rules[number];
      let points = SEVERITIES.indexOf(rules.texts.severity[rule[5][at][0]]);
      for (const word of words) {
        if (rules.names2[number].includes(word)) points += 100;
        else if (rules.spaced[number].includes(word)) points += 30;
      }
      return points;
    };
    return (numbers) =>
      numbers
        .map((number) => [score(number), number])
        .sort(([a, one], [b, other]) => b - a || (rules.rules[other][4] > rules.rules[one][4] ? 1 : -1))
        .map(([, number]) => number);
  };

  const search = (terms) => {
    const size = rules.rules.length;
    const others = marked().fill(1);
    const within = new Map();
    for (const term of terms) {
      const bits = evaluate(term);
      if (term.field in rules.facets && !term.negated && !isOrder(term.op)) {
        const before = within.get(term.field);
        within.set(term.field, before ? before.map((bit, at) => bit | bits[at]) : bits);
      } else {
        for (let at = 0; at < size; at++) others[at] &= term.negated ? 1 - bits[at] : bits[at];
      }
    }
    const without = (facet) => {
      const left = others.slice();
      for (const [field, bits] of within) {
        if (field !== facet) for (let at = 0; at < size; at++) left[at] &= bits[at];
      }
      return left;
    };
    const found = [];
    without(null).forEach((bit, number) => bit && found.push(number));
    return { found: rank(terms)(found), without };
  };

  const counts = (facet, left) => {
    const found = new Map();
    const at = rules.fields.indexOf(facet);
    left.forEach((bit, number) => {
      if (!bit) return;
      const rule = rules.rules[number];
      const texts = facet === "year" ? (rule[4] ? [rule[4].slice(0, 4)] : []) : rule[5][at];
      for (const text of texts) found.set(text, (found.get(text) ?? 0) + 1);
    });
    const named = [...found].map(([text, count]) => [facet === "year" ? text : rules.texts[facet][text], count]);
    if (facet === "severity") return named.sort(([a], [b]) => SEVERITIES.indexOf(b) - SEVERITIES.indexOf(a));
    if (facet === "year") return named.sort(([a], [b]) => (a < b ? 1 : -1));
    return named.sort(([one, a], [other, b]) => b - a || (one < other ? -1 : 1));
  };

  const make = (tag, options = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), options);
    element.append(...children);
    return element;
  };
  const written = (field, texts) => {
    const quoted = texts.map((text) => (/[\s,"']/.test(text) ? (text.includes('"') ? `'${text}'` : `"${text}"`) : text));
    return `${field}:${quoted.join(",")}`;
  };
  const isFacet = (term, facet) => term.field === facet && !term.negated && !isOrder(term.op);
  const chosenOf = (terms, facet) => terms.filter((term) => isFacet(term, facet)).flatMap((term) => term.texts);
  const withFacet = (terms, facet, texts) => {
    const rest = terms.filter((term) => !isFacet(term, facet)).map((term) => term.raw);
    return [...rest, ...(texts.length ? [written(facet, texts)] : [])].join(" ");
  };

  const open = new Set(["ecosystem", "severity", "platform", "tactic"]);
  const drawFacets = (terms, without) => {
    const focus = document.activeElement?.dataset?.key;
    const drawn = Object.entries(rules.facets).map(([facet, title]) => {
      const chosen = chosenOf(terms, facet);
      const lower = new Set(chosen.map((text) => text.toLowerCase()));
      const all = counts(facet, without(facet));
      for (const text of chosen) {
        if (!all.some(([one]) => one.toLowerCase() === text.toLowerCase())) all.unshift([text, 0]);
      }
      const is = ([text]) => lower.has(text.toLowerCase());
      const list = [...all.filter(is), ...all.filter((one) => !is(one))];
      const items = list.map(([text, count], at) => {
        const box = make("input", { type: "checkbox", checked: is([text]) });
        box.dataset.key = `${facet}:${text}`;
        box.addEventListener("change", () => {
          const texts = box.checked ? [...chosen, text] : chosen.filter((one) => one.toLowerCase() !== text.toLowerCase());
          ask(withFacet(terms, facet, texts));
        });
        const name = rules.names[text];
        const label = make("label", { title: text }, box, make("span", {}, name ? `${name} ` : text, ...(name ? [make("i", {}, text)] : [])), make("b", {}, count.toLocaleString("en")));
        return make("li", { hidden: at >= SHOWN && !is([text]) }, label);
      });
      const details = make("details", { open: open.has(facet) || chosen.length > 0 });
      details.addEventListener("toggle", () => (details.open ? open.add(facet) : open.delete(facet)));
      details.append(make("summary", {}, title, " ", make("span", { className: "n" }, list.length.toLocaleString("en"))));
      if (chosen.length) {
        const clear = make("button", { type: "button", className: "clear" }, "Clear");
        clear.setAttribute("aria-label", `Clear ${title}`);
        clear.addEventListener("click", () => ask(withFacet(terms, facet, [])));
        details.append(clear);
      }
      details.append(make("ul", {}, ...items));
      const hidden = items.filter((item) => item.hidden);
      if (hidden.length) {
        const more = make("button", { type: "button", className: "all" }, `${hidden.length.toLocaleString("en")} more`);
        more.addEventListener("click", () => {
          for (const item of hidden.splice(0, 100)) item.hidden = false;
          more.hidden = !hidden.length;
          more.textContent = `${hidden.length.toLocaleString("en")} more`;
        });
        details.append(more);
      }
      return details;
    });
    byId("facets").replaceChildren(...drawn);
    if (focus) byId("facets").querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
  };

  const drawChosen = (terms) => {
    const items = terms.map((term) => {
      const button = make("button", { type: "button" }, term.raw, " ", make("span", { ariaHidden: "true" }, "×"));
      button.setAttribute("aria-label", `Remove ${term.raw}`);
      button.addEventListener("click", () => ask(terms.filter((one) => one !== term).map((one) => one.raw).join(" ")));
      return make("li", {}, button);
    });
    if (items.length > 1) {
      const all = make("button", { type: "button", className: "clear" }, "Clear all");
      all.addEventListener("click", () => ask(""));
      items.push(make("li", {}, all));
    }
    byId("chosen").replaceChildren(...items);
  };

  const highlighted = (text, words) => {
    const parts = words.map((word) => [spaced(word).trim(), word.endsWith("*")]).filter(([word]) => word);
    if (!parts.length) return [text];
    const good = parts.map(([word, begins]) => word.split(" ").join("[^\\p{L}\\p{N}]+") + (begins ? "" : "(?![\\p{L}\\p{N}])"));
    const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(${good.join("|")})`, "iu");
    return text.split(pattern).map((part, at) => (at % 2 ? make("mark", {}, part) : part));
  };

  const drawHit = (number, words) => {
    const [address, , name, summary, changed, numbers] = rules.rules[number];
    const one = (field) => rules.texts[field][numbers[rules.fields.indexOf(field)][0]] ?? "";
    const path = address.split("/").map(encodeURIComponent).join("/");
    return make(
      "li",
      { className: "entry" },
      make("span", { className: "tags" },
        make("span", { className: `sev ${one("severity")}` }, one("severity")),
        make("span", { className: `eco ${one("ecosystem")}` }, one("ecosystem")),
      ),
      make("a", { className: "name", href: `${here}../rules/${path}.html` }, ...highlighted(name, words)),
      make("span", { className: "why" }, [one("platform"), one("kind").replace("_", " "), changed].filter(Boolean).join(" · ")),
      make("p", { className: "summary" }, ...highlighted(summary, words)),
    );
  };

  let shown = 0;
  const draw = (terms, { found, without }) => {
    const words = terms.filter((term) => !term.negated && ["", "name", "text"].includes(term.field)).flatMap((term) => term.texts);
    const next = () => {
      byId("hits").append(...found.slice(shown, shown + PAGE).map((number) => drawHit(number, words)));
      shown += PAGE;
      byId("more").hidden = shown >= found.length;
    };
    shown = 0;
    byId("hits").replaceChildren();
    byId("more").onclick = next;
    next();
    const all = rules.rules.length.toLocaleString("en");
    byId("status").textContent =
      found.length === rules.rules.length ? `${all} rules` : `${found.length.toLocaleString("en")} of ${all} rules`;
    drawChosen(terms);
    drawFacets(terms, without);
  };

  const input = byId("q");
  let turn = 0;
  const run = async (query) => {
    const own = ++turn;
    try {
      const terms = parse(query);
      if (!tests && terms.some(needsTests)) {
        byId("status").textContent = "Loading what rules test …";
        await prepareTests();
        if (own !== turn) return;
      }
      draw(terms, search(terms));
    } catch (error) {
      byId("status").textContent = error.message;
    }
  };
  const address = (query) => `${location.pathname}${query ? `?q=${encodeURIComponent(query)}` : ""}`;
  const ask = (query) => {
    input.value = query;
    try {
      history.pushState(null, "", address(query));
    } catch {
      /* a page from disk may have one address only */
    }
    run(query);
  };

  let testsWanted;
  const prepareTests = () =>
    (testsWanted ??= load("tests").then((data) => {
      data.spaced = data.values.map(spaced);
      data.spacedFields = data.fields.map(spaced);
      tests = data;
    }));
  const prepare = (data) => {
    rules = data;
    rules.fields = [...data.fields];
    const tag = rules.fields.indexOf("tag");
    const author = rules.fields.indexOf("author");
    rules.names2 = rules.rules.map((rule) => spaced(rule[2]));
    rules.spaced = rules.rules.map((rule, number) =>
      rules.names2[number] + spaced([rule[3], rule[1], ...rule[5][tag].map((one) => rules.texts.tag[one]), ...rule[5][author].map((one) => rules.texts.author[one])].join(" ")),
    );
  };

  const narrow = matchMedia("(max-width: 64rem)");
  const fold = () => (byId("narrow").open = !narrow.matches);
  narrow.addEventListener("change", fold);
  fold();

  const asked = () => new URLSearchParams(location.search).get("q") ?? "";
  byId("search").hidden = false;
  byId("status").textContent = "Loading …";
  load("rules").then(
    (data) => {
      prepare(data);
      let later;
      input.addEventListener("input", () => {
        clearTimeout(later);
        later = setTimeout(() => {
          try {
            history.replaceState(null, "", address(input.value));
          } catch {
            /* as above */
          }
          run(input.value);
        }, 150);
      });
      byId("ask").addEventListener("submit", (event) => {
        event.preventDefault();
        clearTimeout(later);
        ask(input.value);
      });
      addEventListener("popstate", () => {
        input.value = asked();
        run(input.value);
      });
      input.value = asked();
      run(input.value);
    },
    (error) => {
      byId("status").textContent = error.message;
    },
  );
})();
