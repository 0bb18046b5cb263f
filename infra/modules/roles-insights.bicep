@description('Name of the Application Insights component of the functions.')
param insightsName string

@description('Identity of the functions, which send with a token.')
param appPrincipalId string

var roles = loadJsonContent('../roles.json')

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource app 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, appPrincipalId, roles['Monitoring Metrics Publisher'])
  scope: insights
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles['Monitoring Metrics Publisher']
    )
  }
}
