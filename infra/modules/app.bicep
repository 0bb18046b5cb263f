@description('Name of the Flex Consumption plan.')
param planName string

@description('Name of the function app.')
param name string

@description('Name of the service in azure.yaml.')
param serviceName string

@description('Identity that the functions run as.')
param identityId string

@description('Client id of that identity.')
param identityClientId string

@description('Connection string of Application Insights; it holds no secret, since keys are off there.')
param insightsConnection string

@description('Account of uploads and records, and of the host itself.')
param storageName string

@description('Container of the deployed package.')
param packageContainer string

@description('droptune\'s settings by name.')
param settings object

@description('Region.')
param location string

@description('Tags.')
param tags object

var blobUrl = 'https://${storageName}.blob.${environment().suffixes.storage}'
var queueUrl = 'https://${storageName}.queue.${environment().suffixes.storage}'
var hostSettings = {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__blobServiceUri: blobUrl
  AzureWebJobsStorage__queueServiceUri: queueUrl
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnection
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  AZURE_CLIENT_ID: identityClientId
  AZURE_STORAGE_ACCOUNT_URL: blobUrl
  AZURE_STORAGE_QUEUE_URL: queueUrl
}
var allSettings = union(hostSettings, settings)

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': serviceName })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    siteConfig: {
      minTlsVersion: '1.2'
      http20Enabled: true
      appSettings: [
        for setting in items(allSettings): {
          name: setting.key
          value: setting.value
        }
      ]
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${blobUrl}/${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: { name: 'python', version: '3.11' }
      scaleAndConcurrency: {
        maximumInstanceCount: 40
        instanceMemoryMB: 2048
      }
    }
  }
}

resource noFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource noPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

output name string = app.name
output id string = app.id
output url string = 'https://${app.properties.defaultHostName}'
