// The bar at the foot of the gallery that says how many photos are selected, and decides about them.
import { DecisionBar } from "./decision-bar.js";
import { count, plural } from "./format.js";
import { ProjectField } from "./project-field.js";
import { SelectionTags } from "./selection-tags.js";
import { rate } from "./wishes.js";

const leave = (photos) => ({ body: { project: null }, words: `Took ${photos.file_name} out of ${photos.project ?? "their projects"}` });

export class SelectionBar {
  /** Calls `decide(wishFor)`, and `selectPage()`, `selectAll()`, `clear()` and `remove()`; `parts()` name the photos. */
  constructor(node, tell) {
    this.node = node;
    const decide = (_, wishFor) => tell.decide(wishFor);
    this.decisions = new DecisionBar(node.querySelector(".decision-bar"), decide);
    this.project = new ProjectField(node.querySelector(".project-field"), decide);
    this.tags = new SelectionTags(node.querySelector(".selection-tags"), node.querySelector(".tags-opener"), tell);
    const acts = {
      page: tell.selectPage, all: tell.selectAll, none: tell.clear, remove: tell.remove,
      "no-stars": () => tell.decide((photos) => rate(photos, null)),
      leave: () => tell.decide(leave),
    };
    node.addEventListener("click", (event) => acts[event.target.closest("[data-act]")?.dataset.act]?.());
    new ResizeObserver(() => this.#makeRoom()).observe(node);
  }

  get hasFocus() {
    return this.node.contains(document.activeElement);
  }

  /** `photos`: those that are selected as one (see asOne), undefined for none; `total`: how many the list has. */
  show({ photos, selected, isAll, total, isInProject }) {
    this.node.hidden = !photos;
    this.#part("said").textContent = photos ? `${count(selected)} selected` : "";
    this.#makeRoom();
    if (!photos) return;
    this.#part("count").textContent = `${count(selected)} selected`;
    this.#act("all").hidden = isAll || !total;
    this.#act("all").textContent = `All ${count(total ?? 0)}`;
    this.#act("all").setAttribute("aria-label", `Select all ${plural(total ?? 0, "photo")}`);
    this.#act("page").hidden = isAll;
    this.#act("leave").hidden = !isInProject;
    this.decisions.show(photos);
    this.project.show(photos);
    this.tags.changed();
  }

  /** So many photos are on their way to be decided. */
  showWork(photos) {
    this.#part("work").textContent = photos ? `Working on ${plural(photos, "photo")}…` : "";
    this.node.classList.toggle("working", photos > 0);
  }

  focusProject() {
    const focused = document.activeElement;
    this.project.ask(() => focused?.isConnected && focused.focus({ preventScroll: true }));
  }

  /** What is under the bar can still be scrolled to. */
  #makeRoom() {
    document.body.style.setProperty("--selection", `${this.node.offsetHeight}px`); // 0 when it is hidden
    document.body.classList.toggle("has-selection", !this.node.hidden);
  }

  #part(name) {
    return name === "said" ? document.getElementById("selection-said") : this.node.querySelector(`[data-part="${name}"]`);
  }

  #act(name) {
    return this.node.querySelector(`[data-act="${name}"]`);
  }
}
