import type { IncidentReport } from '../../audit/incident-report.ts'
import { plain } from '../paint.ts'
import { cleaned, toJson } from '../text.ts'
import { incidentReportText } from './text.ts'

/** The report as the text of a file. `version` is that of this program. */
export async function drawIncident(
  report: IncidentReport,
  format: 'text' | 'json' | 'markdown' | 'html',
  version: string,
): Promise<string> {
  switch (format) {
    case 'text':
      return `${incidentReportText(cleaned(report), { width: Infinity, paint: plain })}\n`
    case 'json':
      return `${toJson(report, 2)}\n`
    case 'markdown':
      return (await import('./markdown.ts')).incidentMarkdown(report)
    case 'html':
      return (await import('./html.ts')).incidentHtml(report, version)
  }
}
