/** The unsigned orders of the session, as the resources that the hook call will carry, and what suggestions do to them. */

import { blank, reference } from "./order.js";

export class Session {
  orders = [];
  /** Reference of the order in the form; null when it was removed. */
  main = null;
  loaded = null;

  load(unsigned, patientId, today) {
    this.patientId = patientId;
    this.today = today;
    this.orders = structuredClone(unsigned);
    const named = this.orders.find((one) => ["MedicationRequest", "MedicationOrder"].includes(one.resourceType));
    if (!named) this.orders.push(blank(patientId, today));
    this.main = reference(named ?? this.orders.at(-1));
    this.loaded = structuredClone(this.orders);
  }

  reset() {
    this.orders = structuredClone(this.loaded);
    this.main = reference(this.orders.find((one) => ["MedicationRequest", "MedicationOrder"].includes(one.resourceType)));
  }

  writeNew() {
    this.orders.push(blank(this.patientId, this.today));
    this.main = reference(this.orders.at(-1));
  }

  get order() {
    return this.orders.find((one) => reference(one) === this.main) ?? null;
  }

  set order(changed) {
    this.orders = this.orders.map((one) => (reference(one) === this.main ? changed : one));
  }

  /** As it was when the patient was picked. */
  get original() {
    return this.loaded.find((one) => reference(one) === this.main) ?? null;
  }

  get others() {
    return this.orders.filter((one) => reference(one) !== this.main && one.resourceType !== "Medication");
  }

  remove(named) {
    this.orders = this.orders.filter((one) => reference(one) !== named);
    if (named === this.main) this.main = null;
  }

  /**
   * The actions of an accepted suggestion, all of them: update replaces, create adds, delete removes. `held`: orders of
   * the chart by reference; a changed one joins the session, to be signed with the others.
   */
  apply(actions, held) {
    return actions.map(({ type, description, resource, resourceId }) => {
      if (type === "delete") {
        const named = [resourceId].flat()[0];
        const before = this.orders.find((one) => reference(one) === named) ?? null;
        this.remove(named);
        return { type, description, before, after: null };
      }
      if (type === "create") {
        const after = { ...resource, id: resource.id ?? crypto.randomUUID() };
        this.orders.push(after);
        return { type, description, before: null, after };
      }
      const named = reference(resource);
      const own = this.orders.find((one) => reference(one) === named);
      const before = own ?? held[named] ?? null;
      if (own) this.orders = this.orders.map((one) => (reference(one) === named ? resource : one));
      else this.orders.push(resource);
      return { type, description, before, after: resource, onChart: !own };
    });
  }
}
