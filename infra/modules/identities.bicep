@description('Name of the identity that the functions run as.')
param appIdentityName string

@description('Name of the identity that the training cluster runs as.')
param trainingIdentityName string

@description('Region.')
param location string

@description('Tags.')
param tags object

resource app 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: appIdentityName
  location: location
  tags: tags
}

resource training 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: trainingIdentityName
  location: location
  tags: tags
}

output appIdentityId string = app.id
output appPrincipalId string = app.properties.principalId
output appClientId string = app.properties.clientId
output trainingIdentityId string = training.id
output trainingPrincipalId string = training.properties.principalId
