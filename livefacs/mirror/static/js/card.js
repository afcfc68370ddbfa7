// The card of an action.

import { h, t } from "./dom.js";
import { showing } from "./showing.js";

export function cardElement(card) {
  const row = (name, value, extra = "") => (value ? [h("div", {}, h("dt", {}, t(`card.${name}`)), h(`dd${extra}`, {}, value))] : []);
  return h("article.card.stack", { "data-code": card.code },
    h("h2", {}, h("b", {}, card.code), card.name),
    h("dl", {},
      row("how", card.how_to_perform, ".how"),
      row("appearance", card.appearance),
      row("muscle", card.muscles),
      row("confused", card.look_alikes.map(({ tell }) => tell).join(" ") || card.confused_with.join("; ") || t("card.none")),
      row("seen", `${t(`card.level`)[card.observability] ?? card.observability}: ${card.observability_reason}`),
      row("notes", card.notes)),
    h("p.soft.small", {}, [card.difficulty ? t("card.difficulty", { difficulty: card.difficulty }) : "", t("card.sure", { confidence: card.confidence })].filter(Boolean).join(" · ")));
}

/**
 * The card in a dialog, as the bars open it, with the action shown.
 *
 * @param {{basics: any, letters: any}} shared
 * @param {string} code
 * @param {import("./stage.js").Stage} stage whose face is marked; marks stay when the dialog is closed
 */
export function openCard({ basics, letters }, code, stage) {
  const card = basics.cards.find((each) => each.code === code);
  if (!card) return;
  const show = card.channels.length ? showing(basics, letters) : null;
  const dialog = h("dialog.carded", { "aria-label": `${card.code} ${card.name}`, onclose: () => { show?.stop(); dialog.remove(); } },
    show?.element, cardElement(card), h("p", {}, h("button", { type: "button", onclick: () => dialog.close() }, t("keys.close"))));
  document.body.append(dialog);
  show?.aim({ actions: [code], side: "both", level: "D" }, (marks) => { stage.marks = marks; });
  dialog.showModal();
  show?.start();
}
