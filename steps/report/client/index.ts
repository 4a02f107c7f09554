import { controlsScript } from './controls.ts'
import { detailScript } from './detail.ts'
import { listScript } from './list.ts'
import { loadScript } from './load.ts'
import { mainScript } from './main.ts'
import { matrixScript } from './matrix.ts'

/** Script of the report page. Text goes into the page as text nodes only, never as markup. */
export const clientScript = `'use strict';${[loadScript, controlsScript, matrixScript, listScript, detailScript, mainScript].join('')}`
