import { parseModelRef } from '../models/modelRef.js';
import { type AnyTask, makeTask } from '../task/defineTask.js';

/** The same task with another model: another task, since its answers are others. Throws `input` for no `provider/model`. */
export function withModel(task: AnyTask, model: string): AnyTask {
  parseModelRef(model);
  if (model === task.spec.model) return task;
  const { schema, functions, load } = task;
  return makeTask({ spec: { ...task.spec, model }, schema, functions, load }, { task: task.hash });
}
