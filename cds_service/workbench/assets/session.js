/** The unsigned orders of the session, as the resources that the hook call will carry, and what suggestions do to them. */

import { blank, reference } from "./order.js";

const isOrder = (one) => ["MedicationRequest", "MedicationOrder"].includes(one.resourceType);

export class Session {
  orders = [];
  /** The order in the form, one of the orders; null when it was removed. Not every draft has an id to be told by. */
  order = null;

  load(unsigned, patientId, today) {
    this.blank = () => blank(patientId, today);
    this.loaded = structuredClone(unsigned);
    if (!this.loaded.some(isOrder)) this.loaded.push(this.blank());
    this.reset();
  }

  reset() {
    this.orders = structuredClone(this.loaded);
    this.order = this.orders.find(isOrder);
  }

  writeNew() {
    this.order = this.blank();
    this.orders.push(this.order);
  }

  /** The order in the form, changed. */
  change(changed) {
    this.orders = this.orders.map((one) => (one === this.order ? changed : one));
    this.order = changed;
  }

  /** The order in the form as it was when the patient was picked. */
  get original() {
    return this.loaded.find(isOrder);
  }

  /** What else is unsigned. */
  get others() {
    return this.orders.filter((one) => one !== this.order && one.resourceType !== "Medication");
  }

  remove(one) {
    this.orders = this.orders.filter((other) => other !== one);
    if (one === this.order) this.order = null;
  }

  /**
   * The actions of an accepted suggestion, all of them: update replaces, create adds, delete removes. `held`: orders of
   * the chart by reference; a changed one joins the session, to be signed with the others.
   */
  apply(actions, held) {
    return actions.map(({ type, description, resource, resourceId }) => {
      const named = type === "delete" ? [resourceId].flat()[0] : reference(resource);
      const own = type === "create" ? null : this.orders.find((one) => reference(one) === named) ?? null;
      if (type === "delete") {
        this.remove(own);
        return { type, description, before: own, after: null };
      }
      if (type === "create") {
        const after = { ...resource, id: resource.id ?? crypto.randomUUID() };
        this.orders.push(after);
        return { type, description, before: null, after };
      }
      if (own) {
        this.orders = this.orders.map((one) => (one === own ? resource : one));
        if (own === this.order) this.order = resource;
      } else {
        this.orders.push(resource);
      }
      return { type, description, before: own ?? held[named] ?? null, after: resource, onChart: !own };
    });
  }
}
