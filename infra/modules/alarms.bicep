@description('End of all names.')
param suffix string

@description('Who is told.')
param email string

@description('Application Insights component of the functions.')
param insightsId string

@description('System topics whose events may fail to be delivered.')
param topicIds array

@description('Region.')
param location string

@description('Tags.')
param tags object

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${suffix}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'droptune'
    enabled: true
    emailReceivers: [{ name: 'people', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource lostEvents 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for (topicId, index) in topicIds: {
    name: 'alert-lost-events-${index}-${suffix}'
    location: 'global'
    tags: tags
    properties: {
      description: 'Events could not be delivered and lie in the container deadletters (docs/operations.md).'
      severity: 2
      enabled: true
      scopes: [topicId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            name: 'dead-lettered'
            criterionType: 'StaticThresholdCriterion'
            metricName: 'DeadLetteredCount'
            timeAggregation: 'Total'
            operator: 'GreaterThan'
            threshold: 0
          }
        ]
      }
      actions: [{ actionGroupId: people.id }]
    }
  }
]

resource failures 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'alert-failures-${suffix}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'droptune: functions fail, or a message was given up'
    description: 'More than five failed invocations in 15 minutes, or a message on the poison queue (docs/operations.md).'
    severity: 2
    enabled: true
    scopes: [insightsId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    criteria: {
      allOf: [
        {
          query: 'union (requests | where success == false | summarize count() by operation_Name | where count_ > 5), (traces | where message startswith "poison: ")'
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    skipQueryValidation: true
    actions: { actionGroups: [people.id] }
  }
}
