import type { Forecast } from './forecast.ts'
import type { Plan } from './plan.ts'
import type { Store } from '../store/store.ts'
export function planReport(workflow: string, plan: Plan, f: Forecast, _s: Store) { const sum=(k:'cells'|'toRun')=>plan.tasks.reduce((a,t)=>a+t[k],0); return { workflow, cells: { total: sum('cells'), run: sum('toRun') }, f } }
export function planText(r: unknown) { return JSON.stringify(r, null, 1) }
