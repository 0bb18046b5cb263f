@description('Name of the Log Analytics workspace.')
param logsName string

@description('Name of the component of the functions, which takes no keys.')
param appInsightsName string

@description('Name of the component of the Azure Machine Learning workspace, whose endpoints send with its key.')
param workspaceInsightsName string

@description('Region.')
param location string

@description('Tags.')
param tags object

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: logsName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 30
    workspaceCapping: { dailyQuotaGb: 1 }
  }
}

resource appInsights 'Microsoft.Insights/components@2020-02-02' = {
  name: appInsightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: logs.id
    DisableLocalAuth: true
  }
}

resource workspaceInsights 'Microsoft.Insights/components@2020-02-02' = {
  name: workspaceInsightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: logs.id
  }
}

output logsName string = logs.name
output appInsightsName string = appInsights.name
output appInsightsId string = appInsights.id
output appInsightsConnection string = appInsights.properties.ConnectionString
output workspaceInsightsId string = workspaceInsights.id
