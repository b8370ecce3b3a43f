"use strict";
// The reading under the pointer of each curve: the last step at or left of it.
for (const chart of document.querySelectorAll("svg.chart[data-points]")) {
  const points = JSON.parse(chart.dataset.points);
  const cursor = chart.querySelector(".cursor");
  const box = chart.viewBox.baseVal;
  const bottom = box.height - 40;
  const make = (name, attributes, content) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (content !== undefined) node.textContent = content;
    cursor.appendChild(node);
  };
  chart.addEventListener("pointermove", (event) => {
    const area = chart.getBoundingClientRect();
    const x = ((event.clientX - area.left) / area.width) * box.width;
    let found = null;
    for (const point of points) if (point[0] <= x) found = point;
    cursor.replaceChildren();
    if (!found) return;
    const y = Math.min(Math.max(found[1], 14), bottom);
    make("line", { x1: x, x2: x, y1: 14, y2: bottom });
    make("circle", { cx: x, cy: y, r: 4 });
    const late = x > box.width * 0.7;
    make("text", { x: late ? x - 10 : x + 10, y: Math.max(y - 10, 26), "text-anchor": late ? "end" : "start" }, `${found[3]} at ${found[2]}`);
  });
  chart.addEventListener("pointerleave", () => cursor.replaceChildren());
}
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
}
